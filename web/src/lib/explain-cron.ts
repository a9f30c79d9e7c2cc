const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const NICKNAMES: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** A cron expression in words, or nothing where it has a form that words would not make clearer. */
export function explainCron(expression: string): string | undefined {
  const text = NICKNAMES[expression.trim().toLowerCase()] ?? expression.trim();
  const fields = text.split(/\s+/);
  const withSeconds = fields.length === 6;
  if (fields.length !== 5 && !withSeconds) return undefined;
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = withSeconds ? fields : ['0', ...fields];
  const time = explainTime(second!, minute!, hour!);
  const day = explainDay(dayOfMonth!, dayOfWeek!);
  const months = explainList(month!, MONTHS, 1);
  if (time === undefined || day === undefined || months === undefined) return undefined;
  const daily = day === '' && months === '' && /^at /.test(time) ? ' every day' : '';
  const sentence = `${time}${daily}${day && ` ${day}`}${months && ` in ${months}`}`;
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

const number = (field: string): number | undefined => (/^\d+$/.test(field) ? Number(field) : undefined);
const step = (field: string): number | undefined => {
  const match = /^\*\/(\d+)$/.exec(field);
  return match ? Number(match[1]) : undefined;
};
const pad = (value: number): string => String(value).padStart(2, '0');
const every = (count: number, unit: string): string =>
  count === 1 ? `every ${unit}` : `every ${count} ${unit}s`;

function explainTime(second: string, minute: string, hour: string): string | undefined {
  const [s, m, h] = [number(second), number(minute), number(hour)];
  if (s !== undefined && m !== undefined && h !== undefined) {
    return `at ${pad(h)}:${pad(m)}${s ? `:${pad(s)}` : ''}`;
  }
  const hours = explainHours(hour);
  if (hours === undefined) return undefined;
  const seconds = second === '*' ? 1 : step(second);
  if (seconds && minute === '*') return `${every(seconds, 'second')}${hours && ` ${hours}`}`;
  if (s === undefined) return undefined;
  const minutes = minute === '*' ? 1 : step(minute);
  if (minutes) return `${every(minutes, 'minute')}${hours && ` ${hours}`}`;
  const list = /^\d+(,\d+)*$/.test(minute) ? minute.split(',').map(Number) : undefined;
  if (!list) return undefined;
  if (/^\d+(,\d+)+$/.test(hour) && list.length === 1) {
    return `at ${join(hour.split(',').map((value) => `${pad(Number(value))}:${pad(list[0]!)}`))}`;
  }
  const hourStep = step(hour);
  const base = hourStep ? every(hourStep, 'hour') : 'every hour';
  return `${base} at minute ${join(list.map(String))}${hours && !hourStep ? ` ${hours}` : ''}`;
}

function explainHours(field: string): string | undefined {
  if (field === '*') return '';
  const stepped = step(field);
  if (stepped) return `of ${every(stepped, 'hour')}`;
  const range = /^(\d+)-(\d+)$/.exec(field);
  if (range) return `from ${pad(Number(range[1]))}:00 to ${pad(Number(range[2]))}:59`;
  const single = number(field);
  if (single !== undefined) return `from ${pad(single)}:00 to ${pad(single)}:59`;
  return /^\d+(,\d+)+$/.test(field) ? `in the hours ${join(field.split(','))}` : undefined;
}

function explainDay(dayOfMonth: string, dayOfWeek: string): string | undefined {
  const week = explainWeek(dayOfWeek);
  if (week === undefined) return undefined;
  if (dayOfMonth === '*' || dayOfMonth === '?') return week;
  const days = /^\d+(,\d+)*$/.test(dayOfMonth)
    ? `on day ${join(dayOfMonth.split(','))} of the month`
    : dayOfMonth.toUpperCase() === 'L'
      ? 'on the last day of the month'
      : undefined;
  if (!days) return undefined;
  return week ? `${days} and ${week}` : days;
}

function explainWeek(field: string): string | undefined {
  if (field === '*' || field === '?') return '';
  const names = explainList(field.replaceAll('7', '0'), DAYS, 0);
  if (names === undefined) return undefined;
  if (names === 'Monday to Friday') return 'on weekdays';
  return `on ${names}`;
}

/** `1,3`, `1-5`, `MON-FRI`, `JAN` as names; `*` as nothing. */
function explainList(field: string, names: readonly string[], first: number): string | undefined {
  if (field === '*') return '';
  const nameOf = (part: string): string | undefined => {
    const index = number(part);
    if (index !== undefined) return names[index - first];
    return names.find((name) => name.slice(0, 3).toLowerCase() === part.toLowerCase());
  };
  const parts: string[] = [];
  for (const part of field.split(',')) {
    const ends = part.split('-').map(nameOf);
    if (ends.length > 2 || ends.some((end) => end === undefined)) return undefined;
    parts.push(ends.join(' to '));
  }
  return join(parts);
}

function join(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
