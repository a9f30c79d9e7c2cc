import { newId } from '../../base/index.js';
import type { Dag, DagCommand } from '../../dag/index.js';
import { type Database, json, type WorkersTable } from '../../store/index.js';

/** Rows that tests begin with. */
export function dagOf(commands: (Partial<DagCommand> & { name: string })[]): Dag {
  return {
    name: 'test',
    version: '1',
    parameters: [],
    commands: commands.map((command) => ({
      type: 'WAIT',
      parents: [],
      config: {},
      retry: { attempts: 1, backoffMs: 0, factor: 1, maxBackoffMs: 0 },
      when: 'all_succeeded',
      cleanup: false,
      ...command,
    })),
  };
}

export async function addRun(
  db: Database,
  options: { dag?: Dag; targetId?: string; state?: 'PENDING' | 'RUNNING' | 'FAILED'; age?: number } = {},
): Promise<string> {
  const id = newId('run');
  const dag = options.dag ?? dagOf([{ name: 'a' }]);
  const state = options.state ?? 'RUNNING';
  await db
    .insertInto('runs')
    .values({
      id,
      name: dag.name,
      dag: json(dag),
      document: json({}),
      parameters: '{}',
      state,
      target_id: options.targetId ?? null,
      created_by: 'test',
      created_at: new Date(Date.now() - (options.age ?? 0)),
      ended_at: state === 'FAILED' ? new Date() : null,
    })
    .execute();
  await db
    .insertInto('commands')
    .values(
      dag.commands.map(({ name, type, parents }, ordinal) => ({ run_id: id, name, ordinal, type, parents })),
    )
    .execute();
  return id;
}

export async function addWorker(
  db: Database,
  row: Partial<Pick<WorkersTable, 'run_id' | 'target_id' | 'launch_key' | 'token_id'>> & {
    kind?: 'primary' | 'exploratory';
    how?: 'local' | 'manual';
    state?: 'STARTING' | 'READY' | 'DRAINING' | 'LOST' | 'STOPPED';
    lease_epoch?: number;
  } = {},
): Promise<string> {
  const id = newId('wrk');
  await db
    .insertInto('workers')
    .values({
      id,
      kind: 'primary',
      name: id,
      how: 'manual',
      state: 'READY',
      lease_epoch: 1,
      lease_expires_at: new Date(Date.now() + 60_000),
      info: '{}',
      launch: '{}',
      ...row,
    })
    .execute();
  return id;
}

/** An attempt at command `a` that this worker carries out. */
export async function addAttempt(
  db: Database,
  runId: string,
  workerId: string,
  more: { command?: string; number?: number; leaseEpoch?: number } = {},
): Promise<string> {
  const { command = 'a', number = 1, leaseEpoch = 1 } = more;
  const id = `${runId}/${command}/${number}`;
  await db
    .insertInto('attempts')
    .values({
      id,
      run_id: runId,
      command,
      number,
      worker_id: workerId,
      lease_epoch: leaseEpoch,
      state: 'RUNNING',
      input: '{}',
    })
    .execute();
  await db
    .updateTable('commands')
    .set({ state: 'RUNNING', attempt: number, worker_id: workerId })
    .where('run_id', '=', runId)
    .where('name', '=', command)
    .execute();
  return id;
}
