import type pg from 'pg';
import { systemClock } from '../../base/index.js';
import { connect, withConnection } from '../connect.js';

const total = 100_000;

/** Transactions that run all the time and keep an invariant, which a copy that is not consistent would break. */
export interface Transfers {
  /** Transactions committed so far. */
  committed(): number;
  /** Resolves when `count` more have been committed. */
  more(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Moves amounts between two tables and notes each move in a third; of the third, an index and a wide column. */
export async function startTransfers(url: string, connections = 2): Promise<Transfers> {
  await withConnection(url, {}, (client) =>
    client.query(`
      create table if not exists debit (id int primary key, amount bigint not null);
      create table if not exists credit (id int primary key, amount bigint not null);
      create table if not exists moves (id bigserial primary key, at int not null, filler text not null);
      create index if not exists moves_at on moves (at);
      create table if not exists counter (moves bigint not null);
      insert into debit select i, ${total / 100} from generate_series(1, 100) i on conflict do nothing;
      insert into credit select i, 0 from generate_series(1, 100) i on conflict do nothing;
      insert into counter select 0 where not exists (select from counter)`),
  );
  let committed = 0;
  let stopping = false;
  const work = async (client: pg.Client, seed: number) => {
    for (let step = seed; !stopping; step += 7) {
      const at = (step % 100) + 1;
      await client.query(`
        begin;
        update counter set moves = moves + 1;
        update debit set amount = amount - 1 where id = ${at};
        insert into moves (at, filler) values (${at}, repeat('x', ${100 + (step % 400)}));
        update credit set amount = amount + 1 where id = ${at};
        commit`);
      committed += 1;
      if (committed % 200 === 0) await client.query('checkpoint');
    }
  };
  const clients = await Promise.all(Array.from({ length: connections }, () => connect(url)));
  const running = Promise.all(clients.map(work));
  // Reported by `stop`.
  running.catch(() => {});
  return {
    committed: () => committed,
    more: async (count) => {
      const goal = committed + count;
      while (committed < goal && !stopping) await Promise.race([systemClock.sleep(2), running]);
    },
    stop: async () => {
      stopping = true;
      await running.finally(() => Promise.all(clients.map((client) => client.end())));
    },
  };
}

/** What is wrong with a copy of a database that `startTransfers` worked on; and how many moves it has. */
export async function checkTransfers(url: string): Promise<{ moves: number; findings: string[] }> {
  return withConnection(url, {}, async (client) => {
    const findings: string[] = [];
    const { rows } = await client.query<{
      sum: string;
      noted: string;
      counted: string;
      credit: string;
      wrong: string;
    }>(`
      select (select sum(amount) from debit) + (select sum(amount) from credit) as sum,
             (select count(*) from moves) as noted,
             (select moves from counter) as counted,
             (select sum(amount) from credit) as credit,
             (select count(*) from credit c where amount <> (select count(*) from moves m where m.at = c.id)) as wrong`);
    const row = rows[0]!;
    if (Number(row.sum) !== total) findings.push(`the amounts add up to ${row.sum}, not ${total}`);
    if (row.noted !== row.counted || row.noted !== row.credit)
      findings.push(`${row.noted} moves noted, ${row.counted} counted, ${row.credit} made`);
    if (row.wrong !== '0') findings.push(`${row.wrong} accounts disagree with their moves`);
    await client.query('create extension if not exists amcheck');
    const indexes = await client.query<{ name: string }>(`
      select c.oid::regclass::text as name from pg_class c join pg_am a on a.oid = c.relam
       where a.amname = 'btree' and c.relkind = 'i' and c.relpersistence = 'p'`);
    for (const { name } of indexes.rows) {
      await client
        .query('select bt_index_check($1::regclass, true)', [name])
        .catch((error) => findings.push(`${name}: ${error.message}`));
    }
    for (const table of ['debit', 'credit', 'moves', 'counter']) {
      const corrupt = await client.query('select * from verify_heapam($1::regclass)', [table]);
      findings.push(...corrupt.rows.map((finding) => `${table}: ${JSON.stringify(finding)}`));
    }
    return { moves: Number(row.noted), findings };
  });
}
