import { describe, expect, it } from 'vitest';
import { toCsv } from '../../web/src/lib/csv.js';
import { explainCron } from '../../web/src/lib/explain-cron.js';
import {
  formatAgo,
  formatBytes,
  formatClock,
  formatDuration,
  formatInUnit,
  formatNumber,
  formatTime,
  sizeUnit,
} from '../../web/src/lib/format.js';
import { segmentsOf, timeTicks } from '../../web/src/lib/gantt.js';
import { highlight } from '../../web/src/lib/highlight.js';
import { nextTimes } from '../../web/src/lib/next-times.js';
import { restoreSql } from '../../web/src/lib/sql.js';
import { EventStreamParser } from '../../web/src/lib/sse.js';

describe('numbers as text', () => {
  it.each([
    [0, '0'],
    [0.01234, '0.0123'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [1234.5, '1,235'],
    [Number.NaN, '–'],
  ])('%s is %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it.each([
    [0.42, '0.42 ms'],
    [999, '999 ms'],
    [1500, '1.5 s'],
    [125_000, '2 min 5 s'],
    [12_000_000, '3 h 20 min'],
    [90_000_000, '1 d 1 h'],
    [-5, '−5 ms'],
  ])('%s ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [300, '0:00.3'],
    [7_340, '0:07.3'],
    [59_990, '0:59.9'],
    [60_000, '1:00'],
    [765_000, '12:45'],
    [3_723_000, '1:02:03'],
  ])('%s ms on the clock is %s', (ms, text) => expect(formatClock(ms)).toBe(text));

  it('gives a column of sizes one unit', () => {
    const sizes = [900, 12_000_000, undefined];
    const unit = sizeUnit(sizes);
    expect(unit.label).toBe('MB');
    expect(formatInUnit(12_000_000, unit)).toBe('12.0');
    expect(formatInUnit(900, unit)).toBe('0.0');
    expect(formatBytes(900)).toBe('900 B');
    expect(sizeUnit([]).label).toBe('B');
  });

  it('says how long ago, and when', () => {
    const now = Date.UTC(2025, 10, 21, 12, 0, 0);
    expect(formatAgo(now - 1000, now)).toBe('just now');
    expect(formatAgo(now - 59_000, now)).toBe('59 s ago');
    expect(formatAgo(now + 7_200_000, now)).toBe('in 2 h');
    const at = (time: number) => formatTime(new Date(time), new Date(now), 'UTC');
    expect(at(now - 3_600_000)).toBe('11:00:00');
    expect(at(now - 86_400_000)).toBe('20 Nov 12:00:00');
    expect(at(now - 400 * 86_400_000)).toBe('17 Oct 2024 12:00:00');
  });
});

describe('cron in words', () => {
  it.each([
    ['0 3 * * *', 'At 03:00 every day'],
    ['*/15 * * * *', 'Every 15 minutes'],
    ['*/15 8-18 * * 1-5', 'Every 15 minutes from 08:00 to 18:59 on weekdays'],
    ['30 2 1 * *', 'At 02:30 on day 1 of the month'],
    ['0 0 * * SUN', 'At 00:00 on Sunday'],
    ['0 0 * * 7', 'At 00:00 on Sunday'],
    ['5 */2 * * *', 'Every 2 hours at minute 5'],
    ['0 6,18 * * *', 'At 06:00 and 18:00 every day'],
    ['@hourly', 'Every hour at minute 0'],
    ['*/10 * * * * *', 'Every 10 seconds'],
    ['0 12 L 1,7 *', 'At 12:00 on the last day of the month in January and July'],
  ])('%s', (expression, text) => expect(explainCron(expression)).toBe(text));

  it.each(['', '* * *', '1-59/7 3#2 * * *', 'nonsense here it is now'])('%j is left alone', (expression) =>
    expect(explainCron(expression)).toBeUndefined(),
  );

  it('finds the next times in the zone of the schedule', () => {
    const { items } = nextTimes('0 3 * * *', 'Asia/Tokyo', 2);
    expect(items.map((time) => time.getUTCHours())).toEqual([18, 18]);
    expect(nextTimes('61 * * * *', 'UTC', 1).error).toBeDefined();
    expect(nextTimes(' ', 'UTC', 1).error).toBeDefined();
  });
});

describe('an event stream', () => {
  const text =
    ': ping\n\nid: 7\nevent: event\ndata: {"a":\ndata: 1}\n\nevent: state\r\ndata: x\r\n\r\ndata: y\n\n';
  const expected = [
    { id: '7', event: 'event', data: '{"a":\n1}' },
    { id: '7', event: 'state', data: 'x' },
    { id: '7', event: 'message', data: 'y' },
  ];

  it('reads the same whatever the chunks', () => {
    for (let size = 1; size <= text.length; size += 1) {
      const parser = new EventStreamParser();
      const found = [];
      for (let at = 0; at < text.length; at += size) found.push(...parser.push(text.slice(at, at + size)));
      expect(found).toEqual(expected);
    }
  });
});

describe('the Gantt view', () => {
  const at = (seconds: number) => new Date(seconds * 1000).toISOString();

  it('keeps waiting, attempts and the pause between them apart', () => {
    const segments = segmentsOf(
      {
        state: 'RUNNING',
        attempt: 2,
        readyAt: at(0),
        startedAt: at(9),
        attempts: [
          { number: 2, state: 'RUNNING', startedAt: at(9) },
          { number: 1, state: 'FAILED', startedAt: at(2), endedAt: at(5) },
        ],
      },
      12_000,
    );
    expect(segments).toEqual([
      { kind: 'waiting', from: 0, to: 2000 },
      { kind: 'running', from: 2000, to: 5000, attempt: 1, state: 'FAILED' },
      { kind: 'waiting', from: 5000, to: 9000 },
      { kind: 'running', from: 9000, to: 12_000, attempt: 2, state: 'RUNNING' },
    ]);
  });

  it('goes on waiting before the first attempt, and after a failed one', () => {
    expect(segmentsOf({ state: 'READY', attempt: 0, readyAt: at(3), attempts: [] }, 8000)).toEqual([
      { kind: 'waiting', from: 3000, to: 8000 },
    ]);
    expect(segmentsOf({ state: 'PENDING', attempt: 0, attempts: [] }, 8000)).toEqual([]);
  });

  it('has about as many ticks as asked for, at round times', () => {
    expect(timeTicks(60_000, 6)).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
    for (const ms of [40, 900, 7_000, 100_000, 5e6, 9e8]) {
      const count = timeTicks(ms, 8).length;
      expect(count).toBeGreaterThanOrEqual(3);
      expect(count).toBeLessThanOrEqual(9);
    }
  });
});

describe('small things', () => {
  it('quotes CSV', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          ['x,y', 'he said "no"'],
          [null, { k: 1 }],
        ],
      ),
    ).toBe('a,b\r\n"x,y","he said ""no"""\r\n,"{""k"":1}"');
  });

  it('writes the SQL of a restore with its quotes', () => {
    const former = (autoConf: string | null) => ({ autoConf, value: 'v', source: 'default' });
    expect(
      restoreSql([
        { setting: 'log_line_prefix', before: former("%m '[%p]'") },
        { setting: 'auto_explain.Odd"name', before: former(null) },
      ]),
    ).toBe(
      `ALTER SYSTEM SET log_line_prefix = '%m ''[%p]''';\nALTER SYSTEM RESET auto_explain."Odd""name";\nSELECT pg_reload_conf();`,
    );
  });

  it('colours a document without changing a character of it', () => {
    const binding = `\${{ parameters.y }}`;
    const text = `name: a\nlist: [1, "x ${binding}"] # why\n{"key": true, "n": -1.5e3}\n`;
    const tokens = highlight(text);
    expect(tokens.map((token) => token.text).join('')).toBe(text);
    const kinds = (kind: string) => tokens.filter((token) => token.kind === kind).map((token) => token.text);
    expect(kinds('binding')).toEqual([binding]);
    expect(kinds('comment')).toEqual(['# why']);
    expect(kinds('key')).toEqual(['name', 'list', '"key"', '"n"']);
    expect(kinds('number')).toEqual(['1', 'true', '-1.5e3']);
  });
});
