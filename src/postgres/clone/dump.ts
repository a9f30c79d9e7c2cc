import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import pg from 'pg';
import { OttoError, type ProgressSink } from '../../base/index.js';
import { libpqEnvironment } from '../backup/base-backup-tool.js';
import { throwIfCancelled } from '../backup/copy-files.js';
import { withConnection } from '../connect.js';
import { withDatabase } from '../url.js';
import type { DumpPlan } from './consider.js';

interface RoleRow {
  name: string;
  attributes: string;
  member_of: string[];
}

const rolesSql = `
  select r.rolname::text as name,
         concat_ws(' ',
           case when r.rolsuper then 'superuser' else 'nosuperuser' end,
           case when r.rolinherit then 'inherit' else 'noinherit' end,
           case when r.rolcreaterole then 'createrole' else 'nocreaterole' end,
           case when r.rolcreatedb then 'createdb' else 'nocreatedb' end,
           case when r.rolcanlogin then 'login' else 'nologin' end,
           case when r.rolbypassrls then 'bypassrls' else 'nobypassrls' end) as attributes,
         array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
                where m.member = r.oid) as member_of
    from pg_roles r
   where r.rolname !~ '^pg_'
   order by r.rolname`;

/**
 * Copies one database into an empty cluster: roles (without passwords), then everything that pg_dump takes, in one
 * stream without a file in between, then the planner's statistics.
 * @param targetUrl Of the new cluster's superuser, for the database `postgres`.
 * @returns Bytes that went through.
 */
export async function dumpInto(request: {
  sourceUrl: string;
  targetUrl: string;
  database: string;
  sizeBytes: number;
  plan: DumpPlan;
  signal?: AbortSignal;
  progress?: ProgressSink;
}): Promise<number> {
  const { database, signal, progress } = request;
  await copyRoles(request.sourceUrl, request.targetUrl);
  const fromUrl = withDatabase(request.sourceUrl, database);
  // Of the two that initdb has made, only the contents are copied.
  const exists = database === 'postgres' || database === 'template1';
  const intoUrl = withDatabase(request.targetUrl, exists ? database : 'postgres');
  const common = { extendEnv: false, reject: false, ...(signal && { cancelSignal: signal }) } as const;
  const dump = execa(
    request.plan.tools.tools.pg_dump!,
    ['--format=custom', '--compress=0', '--no-password', '--no-tablespaces'],
    {
      ...common,
      env: libpqEnvironment(fromUrl),
      stdin: 'ignore',
      buffer: { stdout: false },
    },
  );
  const restore = execa(
    request.plan.tools.tools.pg_restore!,
    [
      '--exit-on-error',
      '--no-password',
      '--dbname',
      exists ? database : 'postgres',
      ...(exists ? ['--clean', '--if-exists'] : ['--create']),
    ],
    { ...common, env: libpqEnvironment(intoUrl) },
  );
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      progress?.({ phase: 'copying', done: bytes, total: Math.max(bytes, request.sizeBytes), unit: 'bytes' });
      done(null, chunk);
    },
  });
  // How the programs ended says more than that the pipe between them broke.
  const piped = await Promise.allSettled([pipeline(dump.stdout, counter, restore.stdin)]);
  const [dumped, restored] = await Promise.all([dump, restore]);
  throwIfCancelled(signal);
  // Where one fails, the other complains about the pipe: who failed first is told apart by that.
  const complaint =
    dumped.stderr !== '' && !/Broken pipe|could not write/.test(dumped.stderr) ? dumped : restored;
  if (complaint.failed && complaint.stderr !== '') {
    const name = complaint === dumped ? 'pg_dump' : 'pg_restore';
    const lines = complaint.stderr.trim().split('\n').slice(-4).join('; ');
    throw new OttoError('DUMP_FAILED', `${name} failed: ${lines}`, { where: database });
  }
  const broken = piped[0]!.status === 'rejected' ? piped[0].reason : undefined;
  if (dumped.failed || restored.failed || broken) {
    throw new OttoError(
      'DUMP_FAILED',
      `the dump of ${database} ended early: ${dumped.shortMessage ?? restored.shortMessage ?? String(broken)}`,
      { where: database },
    );
  }
  progress?.({ phase: 'analysing' });
  await withConnection(withDatabase(request.targetUrl, database), { signal }, (client) =>
    client.query('analyze'),
  );
  return bytes;
}

/** Owners, grants and policies name roles: they must be there first. Passwords are not copied. */
async function copyRoles(sourceUrl: string, targetUrl: string): Promise<void> {
  const { rows } = await withConnection(sourceUrl, {}, (client) => client.query<RoleRow>(rolesSql));
  await withConnection(targetUrl, {}, async (client) => {
    const existing = await client.query<{ name: string }>('select rolname::text as name from pg_roles');
    const known = new Set(existing.rows.map(({ name }) => name));
    for (const { name, attributes } of rows) {
      if (!known.has(name)) await client.query(`create role ${pg.escapeIdentifier(name)} ${attributes}`);
      known.add(name);
    }
    for (const { name, member_of } of rows) {
      for (const group of member_of.filter((group) => known.has(group))) {
        await client.query(`grant ${pg.escapeIdentifier(group)} to ${pg.escapeIdentifier(name)}`);
      }
    }
  });
}
