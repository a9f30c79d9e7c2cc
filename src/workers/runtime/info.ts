import { createRequire } from 'node:module';
import { cpus, hostname, totalmem } from 'node:os';
import { freeBytes, type Logger } from '../../base/index.js';
import { findInstallations } from '../../postgres/index.js';
import type { WorkerInfo } from '../../store/index.js';

const manifest = createRequire(import.meta.url)('../../../package.json') as { version: string };

/** The version of the program. */
export const version = manifest.version;

/** What a worker says of itself. */
export async function workerInfo(options: {
  root: string;
  region?: string;
  allowCommand: boolean;
  logger: Logger;
}): Promise<WorkerInfo> {
  return {
    host: hostname(),
    pid: process.pid,
    version,
    root: options.root,
    freeBytes: await freeBytes(options.root),
    cores: cpus().length,
    memoryBytes: totalmem(),
    ...(options.region !== undefined && { region: options.region }),
    postgres: await installations(options.logger),
    allowCommand: options.allowCommand,
  };
}

async function installations(logger: Logger): Promise<{ major: number; bin: string }[]> {
  try {
    return (await findInstallations()).map(({ major, bin }) => ({ major, bin }));
  } catch (error) {
    // A worker without Postgres can still capture and collect.
    logger.warn({ err: error }, 'the search for Postgres installations failed');
    return [];
  }
}
