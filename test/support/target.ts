import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { startReplica, startTestPostgres, type TestPostgres } from '../../src/postgres/testing/index.js';
import { eventually } from './eventually.js';

/** Somebody's production: a primary under a light load, and its replica. */
export interface Target {
  primary: TestPostgres;
  replica: TestPostgres;
  /** What the owner set with ALTER SYSTEM, as text: unchanged afterwards. Sorted: ALTER SYSTEM moves lines to the end. */
  autoConf(): Promise<string>;
  restartPrimary(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTarget(): Promise<Target> {
  const primary = await startTestPostgres({
    settings: { logging_collector: 'on', log_min_duration_statement: '1s', max_connections: '60' },
  });
  let replica: TestPostgres | undefined;
  let load: Load | undefined;
  try {
    await prepare(primary.url);
    replica = await startReplica(primary);
    load = new Load(primary.url);
  } catch (error) {
    await replica?.stop();
    await primary.stop();
    throw error;
  }
  return {
    primary,
    replica,
    autoConf: async () => {
      const text = await readFile(join(primary.instance.dataDirectory, 'postgresql.auto.conf'), 'utf8');
      return text.split('\n').sort().join('\n');
    },
    restartPrimary: () => primary.instance.restart(),
    stop: async () => {
      await load.stop();
      await replica.stop();
      await primary.stop();
    },
  };
}

async function prepare(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('create table accounts (id int primary key, balance int not null)');
    await client.query('insert into accounts select n, 100 from generate_series(1, 1000) n');
    // The owner's own, among them one that a capture changes as well.
    await client.query("alter system set log_min_duration_statement = '2s'");
    await client.query("alter system set work_mem = '5MB'");
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
}

/** A few transactions a second, through restarts of the server. */
class Load {
  #stopping = false;
  readonly #work: Promise<void>;

  constructor(url: string) {
    this.#work = this.#run(url);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#work;
  }

  async #run(url: string): Promise<void> {
    while (!this.#stopping) {
      const client = new pg.Client(url);
      client.on('error', () => {
        // The server restarts: the next connection goes on.
      });
      try {
        await client.connect();
        await this.#session(client);
      } catch {
        await pause(100);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  async #session(client: pg.Client): Promise<void> {
    for (let n = 1; !this.#stopping; n = (n % 1000) + 1) {
      await client.query('begin');
      await client.query('update accounts set balance = balance + 1 where id = $1', [n]);
      await client.query('select sum(balance) from accounts where id < $1', [n]);
      await client.query('commit');
      await pause(40);
    }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the standby has caught up after the primary came back. */
export async function replicaFollows(target: Target): Promise<void> {
  await eventually(
    async () => {
      const client = new pg.Client(target.replica.url);
      await client.connect();
      try {
        const { rows } = await client.query('select 1 from pg_stat_wal_receiver');
        return rows.length === 1;
      } finally {
        await client.end();
      }
    },
    { what: 'the replica streams', limitMs: 60_000, everyMs: 100 },
  );
}
