import type { Progress } from '../../api/types.js';
import { formatBytes, formatCount } from '../../lib/format.js';

/** `copying · 12 MB of 40 MB (30 %)`. */
export function progressText(progress: Progress): string {
  const amount = (value: number) => (progress.unit === 'bytes' ? formatBytes(value) : formatCount(value));
  const parts = [progress.phase];
  if (progress.done !== undefined) {
    const of = progress.total ? ` of ${amount(progress.total)}` : '';
    const unit = progress.unit && progress.unit !== 'bytes' ? ` ${progress.unit}` : '';
    const share = progress.total ? ` (${Math.floor((100 * progress.done) / progress.total)} %)` : '';
    parts.push(`${amount(progress.done)}${of}${unit}${share}`);
  }
  if (progress.message) parts.push(progress.message);
  return parts.join(' · ');
}
