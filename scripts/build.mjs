// Compiles src/ to dist/ and web/ to dist/web.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

step('tsc', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
rmSync(join(root, 'dist/store/migrations'), { recursive: true, force: true });
cpSync(join(root, 'src/store/migrations'), join(root, 'dist/store/migrations'), { recursive: true });
if (existsSync(join(root, 'web/vite.config.ts'))) {
  step('vite', [
    'node_modules/vite/bin/vite.js',
    'build',
    'web',
    '--config',
    'web/vite.config.ts',
    '--logLevel',
    'warn',
  ]);
}

function step(name, args) {
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    console.error(`build: ${name} failed`);
    process.exit(1);
  }
}
