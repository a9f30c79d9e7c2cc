import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { OttoError } from '../base/index.js';
import type { Installation } from './installations.js';
import { type Account, spawnAs } from './run-as.js';
import { serverEnvironment } from './server-process.js';

const timeoutMs = 120_000;

/** Makes a cluster in an empty folder that belongs to the account already. */
export async function runInitdb(request: {
  installation: Installation;
  dataDirectory: string;
  account: Account | undefined;
  superuser: string;
  password?: string;
  /** False: not synced to disk, for a cluster that runs without fsync anyway. */
  sync: boolean;
  signal?: AbortSignal;
}): Promise<void> {
  const { installation, dataDirectory, account } = request;
  const secrets = await mkdtemp(join(tmpdir(), 'otto-initdb-'));
  try {
    const arguments_ = [
      '--pgdata',
      dataDirectory,
      '--username',
      request.superuser,
      '--encoding',
      'UTF8',
      '--locale',
      'C',
    ];
    if (installation.major >= 17)
      arguments_.push('--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8');
    if (!request.sync) arguments_.push('--no-sync');
    // pg_hba.conf is written afterwards: this only keeps initdb from warning about trust.
    arguments_.push('--auth', request.password === undefined ? 'trust' : 'scram-sha-256');
    if (request.password !== undefined) {
      const file = join(secrets, 'password');
      await writeFile(file, `${request.password}\n`, { mode: 0o600 });
      if (account) await Promise.all([file, secrets].map((path) => chown(path, account.uid, account.gid)));
      arguments_.push('--pwfile', file);
    }
    const result = await execa(installation.tools.initdb, arguments_, {
      ...spawnAs(account),
      cwd: dataDirectory,
      env: serverEnvironment(),
      extendEnv: false,
      reject: false,
      timeout: timeoutMs,
      ...(request.signal && { cancelSignal: request.signal }),
    });
    if (result.isCanceled) throw new OttoError('CANCELLED', 'initdb was cancelled');
    if (result.failed) {
      const reason = result.timedOut
        ? `no end after ${timeoutMs / 1000} s`
        : (result.stderr || result.stdout).trim();
      throw new OttoError('INITDB_FAILED', `initdb failed in ${dataDirectory}: ${reason}`, {
        where: dataDirectory,
      });
    }
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}
