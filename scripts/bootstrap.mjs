#!/usr/bin/env node
// What `npm start`, `npm test`, `npm run bench` and `npm run soak` have in common: on a fresh clone, install what
// package-lock.json names, build what is out of date, then hand over. Plain JavaScript, because it runs before
// anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrowser } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [verb = 'start', ...args] = process.argv.slice(2);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node.js ${process.versions.node} is too old: Ottopilot needs 20.19 or later (https://nodejs.org).`);
}

ensureInstalled();
switch (verb) {
  case 'start':
    ensureBuilt();
    handOver(process.execPath, ['dist/cli/main.js', 'demo', ...args]);
    break;
  case 'otto':
    ensureBuilt();
    handOver(process.execPath, ['dist/cli/main.js', ...args]);
    break;
  case 'test':
    run(process.execPath, ['scripts/check.mjs'], 'check');
    ensureBuilt();
    ensureBrowser();
    process.env.OTTO_TEST_BUILT = '1';
    handOver(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args]);
    break;
  case 'soak':
    ensureBuilt();
    process.env.OTTO_TEST_BUILT = '1';
    handOver(process.execPath, [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/soak/vitest.config.ts',
      ...args,
    ]);
    break;
  case 'bench':
    ensureBuilt();
    handOver(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'bench/run.ts', ...args]);
    break;
  default:
    fail(`Unknown verb "${verb}". Known: start, otto, test, soak, bench.`);
}

function ensureInstalled() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.otto-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('otto: installing dependencies (once)…');
  const npm = process.env.npm_execpath;
  if (npm) run(process.execPath, [npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci');
  else run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci');
  writeFileSync(stamp, lock);
}

function ensureBrowser() {
  const browser = findBrowser();
  if (browser === undefined) {
    console.error(
      'otto: no Chromium was found: the browser tests will fail. Install one, or set OTTO_CHROMIUM.',
    );
    return;
  }
  process.env.OTTO_CHROMIUM = browser;
}

function ensureBuilt() {
  const stamp = join(root, 'dist', '.built');
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  const inputs = [
    'src',
    'web',
    'proto',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts',
  ];
  if (built > 0 && inputs.every((input) => newest(join(root, input)) <= built)) return;
  console.error('otto: building…');
  run(process.execPath, ['scripts/build.mjs'], 'build');
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, '');
}

function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return readdirSync(path)
    .filter((name) => name !== 'node_modules' && name !== 'dist')
    .reduce((latest, name) => Math.max(latest, newest(join(path, name))), info.mtimeMs);
}

/** Runs a step with its output on stderr, so that stdout stays one clean document for --json. */
function run(command, commandArgs, what) {
  const result = spawnSync(command, commandArgs, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.error) fail(`${what} could not start: ${result.error.message}`);
  if (result.status !== 0) fail(`${what} failed (exit ${result.status ?? result.signal}).`);
}

function handOver(command, commandArgs) {
  // The terminal sends Ctrl-C to the whole group: the child decides, we only wait for it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  const result = spawnSync(command, commandArgs, { cwd: root, stdio: 'inherit' });
  if (result.error) fail(`could not start: ${result.error.message}`);
  process.exit(result.status ?? 1);
}

function fail(message) {
  console.error(`otto: ${message}`);
  process.exit(1);
}
