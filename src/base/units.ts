import prettyBytes from 'pretty-bytes';
import { InputError } from './errors.js';

const durationUnits: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds from a number of seconds or from text such as `90s`, `5m`, `1h30m`. */
export function parseDuration(value: number | string): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return value * 1000;
  } else if (/^\d+(\.\d+)?$/.test(value)) {
    return Number(value) * 1000;
  } else if (/^(\d+(\.\d+)?(ms|s|min|m|h|d)\s*)+$/.test(value)) {
    return [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d)/g)].reduce(
      (sum, [, amount, unit]) => sum + Number(amount) * durationUnits[unit!]!,
      0,
    );
  }
  throw new InputError(`"${value}" is not a duration`, {
    hint: 'Write seconds as a number, or text such as "90s", "5m", "1h30m".',
  });
}

/** `340 ms`, `2.1 s`, `4 m 05 s`, `1 h 02 m`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} m`;
}

/** `12.3 MB` (powers of ten). */
export function formatBytes(bytes: number): string {
  return prettyBytes(bytes);
}
