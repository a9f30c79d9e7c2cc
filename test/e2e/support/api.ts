import type { RunDetail, WorkerView } from '../../../src/cli/api-types.js';
import { type Otto, waitFor } from './otto.js';

export type { RunDetail, WorkerView } from '../../../src/cli/api-types.js';

/** Calls the API of a control plane; throws where it does not answer with success. */
export async function callApi<T>(otto: Otto, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${otto.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${otto.adminToken}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export async function submit(otto: Otto, document: unknown, target?: string): Promise<string> {
  const run = await callApi<RunDetail>(otto, 'POST', '/runs', {
    document,
    ...(target !== undefined && { target }),
  });
  return run.id;
}

export async function readRun(otto: Otto, id: string): Promise<Run> {
  return await callApi(otto, 'GET', `/runs/${id}`);
}

export type Run = Omit<RunDetail, 'commands'> & { commands: Command[] };
type Command = RunDetail['commands'][number] & {
  workerId?: string;
  output?: Record<string, unknown>;
  attempts: { state: string }[];
};

const over = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'];

/** The run once it has ended; where it does not, the failure shows where it stands. */
export async function endOf(otto: Otto, id: string, limitMs = 50_000): Promise<Run> {
  let run: Run | undefined;
  return await waitFor(
    `run ${id} ends`,
    async () => {
      run = await readRun(otto, id);
      return over.includes(run.state) && run;
    },
    limitMs,
  ).catch((error: Error) => {
    const { error: why, state, commands } = run ?? { commands: [] };
    const lines = commands.map(
      ({ name, state, reason, error }) => `${name} ${state} ${reason ?? error?.message ?? ''}`,
    );
    throw new Error([error.message, `${state} ${why?.message ?? ''}`, ...lines].join('\n'), { cause: error });
  });
}

export async function workersOf(
  otto: Otto,
): Promise<(WorkerView & { runId?: string; info: { pid?: number } })[]> {
  const { items } = await callApi<{ items: (WorkerView & { info: { pid?: number } })[] }>(
    otto,
    'GET',
    '/workers',
  );
  return items;
}
