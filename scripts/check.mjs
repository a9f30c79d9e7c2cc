// `npm run check`: types, lint and format, the import rule, dead code. All of them run, then it says which failed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (path) => join(root, 'node_modules', path);

const steps = [
  ['types', [bin('typescript/bin/tsc'), '-p', 'tsconfig.json']],
  ...(existsSync(join(root, 'web/tsconfig.json'))
    ? [['types (web)', [bin('typescript/bin/tsc'), '-p', 'web/tsconfig.json']]]
    : []),
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

const results = await Promise.all(steps.map(([name, args]) => runStep(name, args)));
let failed = 0;
for (const { name, code, output, seconds } of results) {
  let ok = code === 0;
  // The tool reports success on nothing when it cannot read TypeScript: that is a failure here.
  if (name === 'imports' && ok && !/\(([1-9]\d*) modules/.test(output)) ok = false;
  console.error(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`);
  if (!ok) {
    failed += 1;
    console.error(output.trimEnd());
  }
}
process.exit(failed === 0 ? 0 : 1);

function runStep(name, args) {
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
    child.on('close', (code) => resolve({ name, code, output, seconds: (performance.now() - began) / 1000 }));
  });
}
