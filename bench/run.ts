// `npm run bench -- NAME [options]`: runs bench/NAME.ts, which prints a table and writes bench/results/NAME.json.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const known = readdirSync(here)
  .filter((name) => name.endsWith('.ts') && !['run.ts', 'report.ts'].includes(name))
  .map((name) => name.slice(0, -3));
const [name, ...args] = process.argv.slice(2);
if (!name || !known.includes(name)) {
  console.error(`usage: npm run bench -- NAME\nbenchmarks: ${known.join(', ')}`);
  process.exit(2);
}
const benchmark = (await import(join(here, `${name}.ts`))) as { main(args: string[]): Promise<void> };
await benchmark.main(args);
process.exit(0);
