// How long a copy of a database takes by each method, against `cp -a` of the stopped data directory.
// Options: --gb SIZE of the data (default 2), --repeats COUNT (default 3), --at FOLDER (default: the system's own).
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { formatBytes, InputError, OttoError } from '../src/base/index.js';
import {
  type CloneRequest,
  connect,
  createClone,
  createReplica,
  dropClone,
  findInstallations,
  type Installation,
  PostgresInstance,
  withDatabase,
} from '../src/postgres/index.js';
import { report, spread } from './report.js';

interface Source {
  installation: Installation;
  primary: PostgresInstance;
  replica: PostgresInstance;
}

interface Measured {
  seconds: number[];
  bytes: number;
  copiedBytes: number;
}

type Way = Pick<CloneRequest, 'method' | 'tool'> & { name: string; role: 'primary' | 'replica' };

const ways: Way[] = [
  { name: 'file copy of the primary', method: 'backup', tool: 'file copy', role: 'primary' },
  { name: 'file copy of a standby', method: 'backup', tool: 'file copy', role: 'replica' },
  { name: 'pg_basebackup of the primary', method: 'backup', tool: 'pg_basebackup', role: 'primary' },
  { name: 'pg_basebackup of a standby', method: 'backup', tool: 'pg_basebackup', role: 'replica' },
  { name: 'dump', method: 'dump', role: 'replica' },
  { name: 'template', method: 'template', role: 'primary' },
];

const database = 'bench';
const rowBytes = 1_000;

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      gb: { type: 'string', default: '2' },
      repeats: { type: 'string', default: '3' },
      at: { type: 'string', default: tmpdir() },
    },
  });
  const dataBytes = positive('--gb', values.gb) * 1e9;
  const repeats = Math.round(positive('--repeats', values.repeats));
  const root = await mkdtemp(join(values.at, 'otto-bench-'));
  // As root the servers run under another account, which must be able to pass through.
  await chmod(root, 0o755);
  const sources: Source[] = [];
  try {
    const installations = await installationsToCopy();
    await requireSpace(root, dataBytes, installations.length);
    for (const installation of installations) sources.push(await load(root, installation, dataBytes));
    const results = new Map<string, Measured>();
    const impossible: Record<string, string> = {};
    // Interleaved, so that a slow minute of the machine is everybody's.
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const source of sources) {
        await baseline(root, source, results);
        for (const way of ways) await measure(root, source, way, results, impossible);
      }
    }
    const rows = [...results].map(([name, { seconds, bytes, copiedBytes }]) => {
      const base = results.get(`${name.split(': ')[0]}: cp -a, stopped`)!;
      const { min, median, max } = spread(seconds);
      return {
        copy: name,
        seconds: median.toFixed(2),
        'min–max': `${min.toFixed(2)}–${max.toFixed(2)}`,
        size: formatBytes(bytes),
        written: formatBytes(copiedBytes),
        'against cp -a': (median / spread(base.seconds).median).toFixed(2),
      };
    });
    report('clone', rows, { dataBytes, repeats, impossible, raw: Object.fromEntries(results) });
    for (const [name, why] of Object.entries(impossible)) console.log(`not possible: ${name}: ${why}`);
  } finally {
    for (const { primary, replica } of sources) {
      await replica.destroy();
      await primary.destroy();
    }
    await rm(root, { recursive: true, force: true });
  }
}

/** The newest server, and the newest one that has the programs of all methods where that is another. */
async function installationsToCopy(): Promise<Installation[]> {
  const found = await findInstallations();
  const complete = found.find(({ tools }) => tools.pg_basebackup && tools.pg_dump && tools.pg_restore);
  return [...new Set([found[0], complete])].filter((each) => each !== undefined);
}

/** Each source is there twice (primary and standby) with a copy beside it; WAL comes on top. */
async function requireSpace(root: string, dataBytes: number, sources: number): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const needed = dataBytes * 1.15 * (2 * sources + 1) + 2e9 * sources;
  if (bavail * bsize >= needed) return;
  throw new InputError(
    `${root} has ${formatBytes(bavail * bsize)} free, and this takes ${formatBytes(needed)}`,
    {
      hint: 'Name a smaller size with --gb, or another folder with --at.',
    },
  );
}

async function load(root: string, installation: Installation, dataBytes: number): Promise<Source> {
  const folder = join(root, `v${installation.major}`);
  // Durable, as a server that matters is. Only WAL that is needed is kept, so that all copies are of one size.
  const primary = await PostgresInstance.init({
    installation,
    dataDirectory: join(folder, 'primary'),
    auth: 'trust',
    settings: { shared_buffers: '128MB', max_wal_size: '256MB', checkpoint_timeout: '1h' },
  });
  await primary.start();
  try {
    const admin = await connect(primary.url());
    await admin.query(`create database ${database}`).finally(() => admin.end());
    const client = await connect(withDatabase(primary.url(), database), { statementTimeoutMs: 0 });
    try {
      await client.query('create table filler (id bigint primary key, at timestamptz not null, text text)');
      const rows = Math.ceil(dataBytes / rowBytes);
      const batch = 100_000;
      for (let first = 0; first < rows; first += batch) {
        await client.query(
          `insert into filler
           select g, now() - g * interval '1 s', (select string_agg(md5(g::text || n), '') from generate_series(1, 29) n)
           from generate_series($1::bigint, $2::bigint) g`,
          [first, Math.min(first + batch, rows) - 1],
        );
        process.stderr.write(
          `\rloading PostgreSQL ${installation.version}: ${Math.min(100, Math.round((100 * (first + batch)) / rows))} %`,
        );
      }
      process.stderr.write('\n');
      await client.query('vacuum analyze filler');
      await client.query('checkpoint');
    } finally {
      await client.end();
    }
    const replica = await createReplica({
      primaryUrl: primary.url(),
      dataDirectory: join(folder, 'replica'),
      installation,
    });
    return { installation, primary, replica };
  } catch (error) {
    await primary.destroy();
    throw error;
  }
}

/** What an administrator would do by hand: stop, copy, start the copy. */
async function baseline(root: string, source: Source, results: Map<string, Measured>): Promise<void> {
  const { installation, primary } = source;
  const copy = join(root, 'copy');
  await primary.stop();
  try {
    const began = performance.now();
    await execa('cp', ['-a', primary.dataDirectory, copy]);
    const copied = (performance.now() - began) / 1000;
    const server = PostgresInstance.at({ installation, dataDirectory: copy });
    await server.start();
    const started = (performance.now() - began) / 1000;
    const bytes = await server.destroy();
    keep(results, `${installation.major}: cp -a, stopped`, { seconds: copied, bytes, copiedBytes: bytes });
    keep(results, `${installation.major}: cp -a, stopped, and start`, {
      seconds: started,
      bytes,
      copiedBytes: bytes,
    });
  } finally {
    await rm(copy, { recursive: true, force: true });
    await primary.start();
  }
}

async function measure(
  root: string,
  source: Source,
  way: Way,
  results: Map<string, Measured>,
  impossible: Record<string, string>,
): Promise<void> {
  const name = `${source.installation.major}: ${way.name}`;
  if (impossible[name] !== undefined) return;
  const url = withDatabase((way.role === 'primary' ? source.primary : source.replica).url(), database);
  try {
    const clone = await createClone({
      source: { url, role: way.role },
      method: way.method,
      ...(way.tool && { tool: way.tool }),
      id: 'copy',
      root: join(root, 'worker'),
    });
    keep(results, clone.tool === 'reflink' ? `${name} (reflink)` : name, clone);
    await dropClone(join(root, 'worker'), 'copy', { url });
  } catch (error) {
    if (!(error instanceof OttoError) || error.code !== 'CLONE_METHOD_UNAVAILABLE') throw error;
    impossible[name] = error.message;
  }
}

function keep(
  results: Map<string, Measured>,
  name: string,
  { seconds, bytes, copiedBytes }: { seconds: number; bytes: number; copiedBytes: number },
): void {
  const known = results.get(name);
  results.set(name, { seconds: [...(known?.seconds ?? []), seconds], bytes, copiedBytes });
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InputError(`${name} must be a number above 0, not "${text}"`);
}
