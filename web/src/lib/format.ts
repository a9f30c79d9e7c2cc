/** Numbers, sizes, times and durations as text. Pure, so that the tests can reach it. */

const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `12,345`. */
export const formatCount = (value: number): string => integer.format(value);

/** Three significant digits and thousands separators: `0.0123`, `1.23`, `12.3`, `1,234`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const digits = Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.min(6, Math.max(0, 2 - digits));
  return value.toLocaleString('en', { maximumFractionDigits: decimals, minimumFractionDigits: 0 });
}

/** Fixed decimals, for a column that has one unit. */
export const formatFixed = (value: number, decimals: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

export interface Unit {
  label: string;
  factor: number;
}

const SIZES: Unit[] = [
  { label: 'B', factor: 1 },
  { label: 'kB', factor: 1e3 },
  { label: 'MB', factor: 1e6 },
  { label: 'GB', factor: 1e9 },
  { label: 'TB', factor: 1e12 },
];

/** The unit that shows the largest of these sizes best: one for a whole column. */
export function sizeUnit(sizes: readonly (number | undefined)[]): Unit {
  const largest = Math.max(0, ...sizes.map((size) => size ?? 0));
  return SIZES.findLast((unit) => largest >= unit.factor) ?? SIZES[0]!;
}

/** A size in the given unit, without its label. */
export const formatInUnit = (bytes: number, unit: Unit): string =>
  unit.factor === 1 ? formatCount(bytes) : formatFixed(bytes / unit.factor, 1);

/** `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const unit = sizeUnit([bytes]);
  return `${unit.factor === 1 ? formatCount(bytes) : formatNumber(bytes / unit.factor)} ${unit.label}`;
}

/** A latency or a length of time for a sentence: `0.42 ms`, `1.5 s`, `2 min 5 s`, `3 h 20 min`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms < 1000) return `${formatNumber(ms)} ms`;
  if (ms < 60_000) return `${formatNumber(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  const [unit, size, below, part] =
    seconds < 3600
      ? ['min', 60, 's', 1]
      : seconds < 86_400
        ? ['h', 3600, 'min', 60]
        : ['d', 86_400, 'h', 3600];
  const rest = Math.floor((seconds % Number(size)) / Number(part));
  return `${Math.floor(seconds / Number(size))} ${unit}${rest ? ` ${rest} ${below}` : ''}`;
}

/** `0:07.3`, `12:45`, `1:02:03`: the one unit of a column of run times. */
export function formatClock(ms: number): string {
  const total = Math.max(0, ms) / 1000;
  if (total < 60)
    return `0:${total.toFixed(1).padStart(4, '0') === '60.0' ? '59.9' : total.toFixed(1).padStart(4, '0')}`;
  const seconds = Math.floor(total);
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}

/** `3 min ago`, `in 2 h`, `just now`. */
export function formatAgo(at: number, now: number): string {
  const ms = now - at;
  const size = Math.abs(ms);
  if (size < 5000) return 'just now';
  const text =
    size < 60_000
      ? `${Math.floor(size / 1000)} s`
      : size < 3_600_000
        ? `${Math.floor(size / 60_000)} min`
        : size < 86_400_000
          ? `${Math.floor(size / 3_600_000)} h`
          : `${Math.floor(size / 86_400_000)} d`;
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

/** `14:03:07` today, `21 Nov 14:03:07` in the same year, with the year otherwise; in the viewer's zone. */
export function formatTime(at: Date, now: Date, timeZone?: string): string {
  const zone = timeZone ? { timeZone } : {};
  const day = (date: Date) =>
    date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', ...zone });
  const clock = at.toLocaleTimeString('en-GB', { hour12: false, ...zone });
  const year = now.toLocaleDateString('en-GB', { year: 'numeric', ...zone });
  const date = day(at);
  if (date === day(now)) return clock;
  return `${date.endsWith(year) ? date.slice(0, -year.length - 1) : date} ${clock}`;
}

/** `2025-11-21 14:03:07 UTC`. */
export const formatUtc = (at: Date): string => `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `1 command`, `3 commands`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** `TIMED_OUT` as `timed out`. */
export const words = (constant: string): string => constant.toLowerCase().replaceAll('_', ' ');

/** The start of an id, long enough to tell ids apart on a page. */
export const shortId = (id: string): string => (id.length > 12 ? id.slice(-8) : id);
