export default {
  root: '/work/main',
  cacheDir: '/tmp/wlexp-vite',
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 60000,
    hookTimeout: 120000,
    maxWorkers: 2,
    pool: 'forks',
  },
};
