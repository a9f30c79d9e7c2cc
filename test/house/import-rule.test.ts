import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('../..', import.meta.url));
const tool = join(project, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const config = join(project, '.dependency-cruiser.cjs');

interface Result {
  summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] };
}

async function cruise(folder: string): Promise<Result['summary']> {
  const { stdout } = await execa(
    process.execPath,
    [tool, 'src', '--config', config, '--output-type', 'json'],
    {
      cwd: folder,
    },
  );
  return (JSON.parse(stdout) as Result).summary;
}

/** A house of a few rooms in which every rule is broken once, and one import is as it should be. */
const house: Record<string, string> = {
  'tsconfig.json': '{ "compilerOptions": { "module": "NodeNext", "moduleResolution": "NodeNext" } }',
  'package.json': '{ "name": "house", "type": "module", "devDependencies": { "tool": "1.0.0" } }',
  'src/base/index.ts': "export { one } from './one.js';",
  'src/base/one.ts': 'export const one = 1;',
  'src/base/up.ts': "import { server } from '../server/index.js';\nexport const up = server;",
  'src/server/index.ts': "import { one } from '../base/index.js';\nexport const server = one;",
  'src/store/index.ts': "import { duckdb } from '../duckdb/index.js';\nexport const store = duckdb;",
  'src/duckdb/index.ts': 'export const duckdb = 1;',
  'src/workers/index.ts': "import { one } from '../base/one.js';\nexport const workers = one;",
  'src/dag/index.ts': "import { b } from './b.js';\nexport const a = () => b;",
  'src/dag/b.ts': "import { a } from './index.js';\nexport const b = () => a;",
  'src/demo/index.ts': "export { tool } from 'tool';",
  'node_modules/tool/package.json':
    '{ "name": "tool", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
  'node_modules/tool/index.js': 'export const tool = 1;',
  'src/cli/index.ts': "export { nothing } from './missing.js';",
};

describe('the import rule', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'otto-house-')));
    for (const [name, text] of Object.entries(house)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('sees an import up, one to a neighbour, one past the face of a folder, a cycle, a development tool, and a dead end', async () => {
    const { violations } = await cruise(folder);
    const found = violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
    expect(found.sort()).toEqual(
      [
        'base-imports-down-only: src/base/up.ts → src/server/index.ts',
        'base-has-one-face: src/workers/index.ts → src/base/one.ts',
        'no-cycles: src/dag/b.ts → src/dag/index.ts',
        'production-code-needs-production-dependencies: src/demo/index.ts → node_modules/tool/index.js',
        'no-unresolved: src/cli/index.ts → ./missing.js',
        'store-imports-down-only: src/store/index.ts → src/duckdb/index.ts',
      ].sort(),
    );
  });

  it('reads this house: all of its modules, with their imports, and none that breaks it', async () => {
    const { totalCruised, violations } = await cruise(project);
    expect(totalCruised).toBeGreaterThan(100);
    expect(violations).toEqual([]);
  });
});
