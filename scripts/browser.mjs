// The browser that the tests of the web UI drive: the one that is there, or, where we may, Debian's.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The path of a browser; installs one where this is root on a system with apt; undefined when there is none to be had. */
export function findBrowser() {
  const found = look();
  if (found !== undefined || process.getuid?.() !== 0 || !onPath('apt-get')) return found;
  console.error('otto: installing Chromium for the browser tests (apt-get)…');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ]) {
    if (spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 2], env }).status !== 0) return undefined;
  }
  return look();
}

function look() {
  const given = process.env.OTTO_CHROMIUM;
  if (given) return given;
  return names.map(onPath).find(Boolean) ?? elsewhere.find(isExecutable);
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
