import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = process.env.OTTO_WEB_API ?? 'http://localhost:7400';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    // The content security policy allows no data: fonts, and hashed files cache better.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
  },
  server: { proxy: { '/api': { target: server, changeOrigin: true } } },
});
