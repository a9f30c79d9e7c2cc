import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { silentLogger } from '../../../src/base/index.js';
import { ControlPlane } from '../../../src/control/index.js';
import { startTestPostgres, testFolder } from '../../../src/postgres/testing/index.js';
import { buildServer } from '../../../src/server/index.js';
import { SecretBox } from '../../../src/store/index.js';

export type WebRole = 'viewer' | 'operator' | 'admin';

/** A running Ottopilot with its pages. */
export interface WebSystem {
  url: string;
  tokens: Record<WebRole, string>;
  stop(): Promise<void>;
}

/**
 * The one place that says what the browser tests run against: the system at `OTTO_WEB_URL` with the tokens
 * `OTTO_WEB_TOKEN_VIEWER`, `…_OPERATOR` and `…_ADMIN`, or a server of their own with freshly built pages.
 */
export async function startWebSystem(): Promise<WebSystem> {
  const given = process.env.OTTO_WEB_URL;
  if (given) {
    const token = (role: WebRole): string => {
      const name = `OTTO_WEB_TOKEN_${role.toUpperCase()}`;
      const value = process.env[name];
      if (!value) throw new Error(`${name} is needed beside OTTO_WEB_URL`);
      return value;
    };
    return {
      url: given.replace(/\/$/, ''),
      tokens: { viewer: token('viewer'), operator: token('operator'), admin: token('admin') },
      stop: async () => {},
    };
  }
  return await startOwnSystem();
}

/** A program in a worker's place that never attaches: a run stays as it is while it is looked at. */
const SILENT_WORKER = [process.execPath, '-e', 'setTimeout(() => {}, 600_000)', '--'];

async function startOwnSystem(): Promise<WebSystem> {
  const [webRoot, postgres, folder] = await Promise.all([buildPages(), startTestPostgres(), testFolder()]);
  const control = await ControlPlane.start({
    databaseUrl: postgres.url,
    secretKey: SecretBox.newKey(),
    artifactsDirectory: join(folder, 'artifacts'),
    workersDirectory: join(folder, 'workers'),
    ottoCommand: SILENT_WORKER,
    version: '0.0.0-test',
    logger: silentLogger,
  });
  const server = await buildServer(control, { port: 0, workerPort: 0, webRoot });
  await control.ready({ url: server.url, workerUrl: server.workerUrl });
  const issue = async (role: WebRole): Promise<string> =>
    (await control.tokens.issue({ name: `a ${role}`, role }, { name: 'browser tests', role: 'admin' })).token;
  return {
    url: server.url,
    tokens: { viewer: await issue('viewer'), operator: await issue('operator'), admin: await issue('admin') },
    stop: async () => {
      await server.close();
      await control.stop();
      await postgres.stop();
      await Promise.all([webRoot, folder].map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}

/** Builds into a folder of its own, so that a build that serves someone else is left alone. */
async function buildPages(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'otto-web-'));
  const root = fileURLToPath(new URL('../../../web', import.meta.url));
  await build({
    root,
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'warn',
    // Under a test runner React comes with its own checks, whose complaints fail the tests; that makes it larger.
    build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 2_000 },
  });
  return outDir;
}
