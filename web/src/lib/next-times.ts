import { Cron } from 'croner';

export interface NextTimes {
  items: Date[];
  error?: string;
}

/** The next times of a cron expression, by the same library that the control plane runs it with. */
export function nextTimes(expression: string, timeZone: string, count: number): NextTimes {
  if (!expression.trim()) return { items: [], error: 'A cron expression is needed.' };
  try {
    const items = new Cron(expression.trim(), { timezone: timeZone, paused: true }).nextRuns(count);
    return items.length > 0 ? { items } : { items, error: 'It never comes.' };
  } catch (error) {
    return {
      items: [],
      error: error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error),
    };
  }
}
