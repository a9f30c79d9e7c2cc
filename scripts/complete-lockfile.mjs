// A lockfile made where a mirror lacks the packages of other platforms leaves them out, and `npm ci` then refuses it
// everywhere. This writes the missing optional packages into package-lock.json by name, version and platform. Run it
// after every change of dependencies; it changes nothing in a complete lockfile.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const platform =
  /(android|darwin|linux|win32|freebsd|openharmony)(?:-(x64|arm64|arm|ia32|ppc64|riscv64|s390x))?(?:.*(musl))?/;
const added = [];
for (const [path, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const places = [`${path}/node_modules/${name}`, `node_modules/${name}`];
    if (places.some((place) => lock.packages[place])) continue;
    const [, os, cpu, libc] = platform.exec(name) ?? [];
    lock.packages[places[1]] = {
      version: String(version).replace(/^\D*/, ''),
      ...(cpu && { cpu: [cpu] }),
      ...(entry.dev && { dev: true }),
      ...(entry.license && { license: entry.license }),
      optional: true,
      ...(os && { os: [os] }),
      ...(libc && { libc: [libc] }),
    };
    added.push(`${name}@${version}`);
  }
}
if (added.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
console.error(added.length === 0 ? 'the lockfile is complete' : `added ${added.join(', ')}`);
