import { readFileSync } from 'node:fs';

/** Of package.json, which lies two folders up, in the sources as in the build. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
