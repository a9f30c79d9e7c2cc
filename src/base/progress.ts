/** Where a long operation stands. `total` is unknown when absent. */
export interface Progress {
  phase: string;
  done?: number;
  total?: number;
  unit?: 'bytes' | 'rows' | 'statements' | 'files' | 'seconds' | 'trials';
  message?: string;
}

export type ProgressSink = (progress: Progress) => void;

/** Passes on at most one update per `intervalMs`, and always a change of phase. */
export function throttleProgress(
  sink: ProgressSink,
  intervalMs = 250,
  now = () => performance.now(),
): ProgressSink {
  let last = Number.NEGATIVE_INFINITY;
  let phase: string | undefined;
  return (progress) => {
    const at = now();
    if (progress.phase === phase && at - last < intervalMs) return;
    last = at;
    phase = progress.phase;
    sink(progress);
  };
}

/** One line for a person: `copying base/16384 · 12 MB of 40 MB (30 %)`. */
export function formatProgress(progress: Progress, formatAmount: (value: number) => string = String): string {
  const parts = [progress.phase];
  if (progress.done !== undefined) {
    const unit = progress.unit && progress.unit !== 'bytes' ? ` ${progress.unit}` : '';
    const of = progress.total ? ` of ${formatAmount(progress.total)}` : '';
    const share = progress.total ? ` (${Math.floor((100 * progress.done) / progress.total)} %)` : '';
    parts.push(`${formatAmount(progress.done)}${of}${unit}${share}`);
  }
  if (progress.message) parts.push(progress.message);
  return parts.join(' · ');
}
