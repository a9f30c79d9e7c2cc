import { constants } from 'node:fs';
import { access, readdir, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { OttoError } from '../base/index.js';
import { findEmbedded } from './embedded-installation.js';

const requiredTools = ['postgres', 'initdb', 'pg_ctl'] as const;
const optionalTools = ['pg_basebackup', 'pg_dump', 'pg_restore', 'psql', 'pgbench'] as const;

/** PostgreSQL binaries on this machine. */
export interface Installation {
  major: number;
  /** As `postgres --version` gives it, such as `15.14` or `18.4`. */
  version: string;
  /** The folder of the binaries. */
  bin: string;
  /** `embedded`: from the npm package; `system`: found where systems put it; `given`: named by the caller. */
  source: 'embedded' | 'system' | 'given';
  /** Absolute paths; the optional ones are absent where the installation lacks them. */
  tools: Record<(typeof requiredTools)[number], string> &
    Partial<Record<(typeof optionalTools)[number], string>>;
}

export interface FindOptions {
  /** Further folders of binaries. One that does not hold a usable server is passed over. */
  also?: string[];
}

interface Candidate {
  bin: string;
  source: Installation['source'];
}

/** The installations that can run a server here, newest first; of one major version, the one with more tools first. */
export async function findInstallations(options: FindOptions = {}): Promise<Installation[]> {
  return (await survey(options)).found;
}

/**
 * The best installation of a major version.
 * @throws OttoError POSTGRES_NOT_FOUND, with what was looked at.
 */
export async function installationFor(major: number, options: FindOptions = {}): Promise<Installation> {
  const { found, looked } = await survey(options);
  const match = found.find((installation) => installation.major === major);
  if (match) return match;
  throw new OttoError(
    'POSTGRES_NOT_FOUND',
    `no PostgreSQL ${major} was found on this machine (looked at: ${looked.join('; ') || 'nothing that exists'})`,
    { hint: `Install it (Debian, Ubuntu: postgresql-${major}), or name the folder of its binaries.` },
  );
}

async function survey(options: FindOptions): Promise<{ found: Installation[]; looked: string[] }> {
  const looked: string[] = [];
  const embedded = await findEmbedded();
  looked.push(...embedded.missing);
  const candidates: Candidate[] = [
    ...(options.also ?? []).map((bin): Candidate => ({ bin, source: 'given' })),
    ...embedded.bins.map((bin): Candidate => ({ bin, source: 'embedded' })),
    ...(await systemFolders()).map((bin): Candidate => ({ bin, source: 'system' })),
  ];
  const seen = new Set<string>();
  const found: Installation[] = [];
  for (const candidate of candidates) {
    const bin = await resolveBin(candidate.bin);
    if (bin === undefined) {
      if (candidate.source === 'given') looked.push(`${candidate.bin}: no postgres there`);
      continue;
    }
    if (seen.has(bin)) continue;
    seen.add(bin);
    const result = await inspect({ ...candidate, bin });
    if (typeof result === 'string') looked.push(result);
    else {
      found.push(result);
      looked.push(`${bin}: ${result.version}`);
    }
  }
  return { found: found.sort(better), looked };
}

/** Follows links: a PATH folder often links to the installation, and its tools find their libraries from there. */
async function resolveBin(bin: string): Promise<string | undefined> {
  try {
    return dirname(await realpath(join(bin, 'postgres')));
  } catch {
    return undefined;
  }
}

async function inspect(candidate: Candidate): Promise<Installation | string> {
  const tools: Record<string, string> = {};
  for (const tool of [...requiredTools, ...optionalTools]) {
    const path = join(candidate.bin, tool);
    if (await isExecutable(path)) tools[tool] = path;
  }
  const lacking = requiredTools.filter((tool) => tools[tool] === undefined);
  if (lacking.length > 0) return `${candidate.bin}: no ${lacking.join(', ')}`;
  const { stdout, failed, stderr, message } = await execa(tools.postgres!, ['--version'], {
    reject: false,
    timeout: 20_000,
  }).then((result) => ({ ...result, message: 'message' in result ? String(result.message) : '' }));
  const version = /\b(\d+(?:\.\d+|[a-z]+\d+)*)/.exec(stdout)?.[1];
  if (failed || version === undefined) {
    return `${candidate.bin}: postgres --version failed (${(stderr || message || stdout).split('\n')[0]})`;
  }
  const major = Number.parseInt(version, 10);
  return {
    major,
    version,
    bin: candidate.bin,
    source: candidate.source,
    tools: tools as Installation['tools'],
  };
}

function better(a: Installation, b: Installation): number {
  return (
    b.major - a.major ||
    Object.keys(b.tools).length - Object.keys(a.tools).length ||
    b.version.localeCompare(a.version, 'en', { numeric: true })
  );
}

async function systemFolders(): Promise<string[]> {
  const families: [parent: string, child: RegExp, rest: string][] = [
    ['/usr/lib/postgresql', /^\d+$/, 'bin'],
    ['/usr', /^pgsql-\d+$/, 'bin'],
    ['/usr/lib', /^postgresql\d+$/, 'bin'],
    ['/opt/homebrew/opt', /^postgresql(@\d+)?$/, 'bin'],
    ['/usr/local/opt', /^postgresql(@\d+)?$/, 'bin'],
    ['/usr/local', /^pgsql$/, 'bin'],
    ['/Applications/Postgres.app/Contents/Versions', /^\d+$/, 'bin'],
  ];
  const lists = await Promise.all(
    families.map(async ([parent, child, rest]) => {
      const names = await readdir(parent).catch(() => []);
      return names.filter((name) => child.test(name)).map((name) => join(parent, name, rest));
    }),
  );
  return [
    ...lists.flat(),
    ...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/')),
  ];
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
