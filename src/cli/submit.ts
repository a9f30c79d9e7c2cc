import type { RunDetail } from './api-types.js';
import type { Call } from './command.js';
import { followRun } from './follow.js';

/** Submits a document; prints the run's id, or with `follow` what happens until it has ended. */
export async function submitRun(
  call: Pick<Call<unknown>, 'api' | 'out' | 'signal'>,
  document: unknown,
  options: { target?: string; parameters?: Record<string, unknown> | undefined; follow: boolean },
): Promise<void> {
  const api = await call.api();
  const run = await api.post<RunDetail>('/runs', {
    document,
    ...(options.target !== undefined && { target: options.target }),
    ...(options.parameters && { parameters: options.parameters }),
  });
  await announceRun(call, run, options.follow);
}

export async function announceRun(
  call: Pick<Call<unknown>, 'api' | 'out' | 'signal'>,
  run: RunDetail,
  follow: boolean,
): Promise<void> {
  const { out } = call;
  if (!follow) {
    out.result(run, () => {
      out.line(run.id);
      out.note(`started; watch it with: otto dag status ${run.id} --follow`);
    });
    return;
  }
  out.item({ type: 'started', id: run.id }, () => out.line(`run ${run.id}`));
  await followRun(await call.api(), run.id, out, call.signal);
}
