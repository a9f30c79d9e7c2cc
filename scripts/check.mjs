// `npm run check`: types, lint and format, the import rule, dead code. All of them run, then it says which failed.
// As many at a time as there are processors: more of them only take turns.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (path) => join(root, 'node_modules', path);

const steps = [
  ['types', [bin('typescript/bin/tsc'), '-p', 'tsconfig.json']],
  ['types (web)', [bin('typescript/bin/tsc'), '-p', 'web/tsconfig.json']],
  ['lint', [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']],
  [
    'imports',
    [
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      'src',
      'test',
      'bench',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err-long',
    ],
  ],
  ['dead code', [bin('knip/bin/knip.js'), '--no-progress']],
];

const waiting = [...steps];
let failed = 0;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const { code, output, seconds } = await runStep(step[1]);
      let ok = code === 0;
      // The tool reports success on nothing when it cannot read TypeScript: that is a failure here.
      if (step[0] === 'imports' && !(Number(/\((\d+) modules/.exec(output)?.[1]) > 100)) ok = false;
      console.error(`${ok ? 'ok  ' : 'FAIL'} ${step[0]} (${seconds.toFixed(1)} s)`);
      if (!ok) {
        failed += 1;
        console.error(output.trimEnd());
      }
    }
  }),
);
process.exit(failed === 0 ? 0 : 1);

function runStep(args) {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code) => resolve({ code, output, seconds: (performance.now() - began) / 1000 }));
  });
}
