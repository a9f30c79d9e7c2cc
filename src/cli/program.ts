import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Program and first arguments that run this same `otto` again: in the build by node, from the sources by tsx. */
export function ottoCommand(): string[] {
  return [process.execPath, ...process.execArgv, process.argv[1]!];
}

/** The built web UI; in the sources it is where the build puts it. */
export function webRoot(): string {
  const built = fileURLToPath(new URL('../web', import.meta.url));
  return existsSync(`${built}/index.html`) && built.includes('dist')
    ? built
    : fileURLToPath(new URL('../../dist/web', import.meta.url));
}
