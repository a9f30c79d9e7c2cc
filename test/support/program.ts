import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Program and first arguments that run `otto`, in any folder: what `npm test` has just built, which starts several
 * times as fast, or else the sources.
 */
export const ottoProgram: readonly [string, ...string[]] =
  process.env.OTTO_TEST_BUILT === '1'
    ? [process.execPath, join(root, 'dist/cli/main.js')]
    : [process.execPath, '--import', import.meta.resolve('tsx'), join(root, 'src/cli/main.ts')];
