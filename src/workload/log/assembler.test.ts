import { beforeAll, describe, expect, it } from 'vitest';
import type { WorkloadEvent } from '../event.js';
import { Templates } from '../sql/templates.js';
import { Assembler } from './assembler.js';
import { record } from './log.fixtures.js';
import type { LogRecord } from './record.js';
import { LogZone } from './zone.js';

let templates: Templates;
beforeAll(async () => {
  templates = await Templates.load();
});

function assemble(
  records: Partial<LogRecord>[],
  options: { inTransaction?: Set<string>; before?: Partial<LogRecord>[] } = {},
) {
  const events: WorkloadEvent[] = [];
  const assembler = new Assembler({
    templates,
    zone: new LogZone(new Map([['UTC', 0]])),
    inTransaction: options.inTransaction,
    isOwn: ({ application }) => application.startsWith('ottopilot'),
    emit: (event) => events.push(event),
  });
  let line = 0;
  const push = (values: Partial<LogRecord>) => assembler.push(record({ line: ++line, ...values }));
  options.before?.forEach(push);
  assembler.begin();
  records.forEach(push);
  const end = assembler.end();
  return { events, counts: assembler.counts, numbers: assembler.numbers, end };
}

const step = (step: string, sql: string, more: Partial<LogRecord> = {}): Partial<LogRecord> => ({
  message: `duration: 1.500 ms  ${step}: ${sql}`,
  vxid: '3/7',
  ...more,
});

describe('the extended protocol', () => {
  it('makes one event of parse, bind and execute, with the time of all', () => {
    const { events } = assemble([
      step('parse s1', 'select $1'),
      step('bind s1', 'select $1', { detail: "Parameters: $1 = 'a'" }),
      step('execute s1', 'select $1', { detail: "Parameters: $1 = 'a'" }),
      step('bind s1', 'select $1', { detail: "Parameters: $1 = 'b'", vxid: '3/8' }),
      step('execute s1', 'select $1', { detail: "Parameters: $1 = 'b'", vxid: '3/8' }),
    ]);
    expect(
      events.map(({ durationUs, statementName, parameters, transaction }) => [
        durationUs,
        statementName,
        parameters,
        transaction,
      ]),
    ).toEqual([
      [4500, 's1', ['a'], 1],
      [3000, 's1', ['b'], 2],
    ]);
    expect(events[0]!.startedUs).toBe(Date.UTC(2026, 2, 1, 12, 0, 0, 500) * 1000 - 1500);
  });

  it('adds fetches from a portal to its execute, also when portals alternate', () => {
    const { events } = assemble([
      step('bind <unnamed>/c1', 'select 1'),
      step('execute <unnamed>/c1', 'select 1'),
      step('bind <unnamed>/c2', 'select 2'),
      step('execute <unnamed>/c2', 'select 2'),
      step('execute fetch from <unnamed>/c1', 'select 1'),
      step('execute fetch from <unnamed>/c2', 'select 2'),
      step('execute fetch from <unnamed>/c1', 'select 1'),
    ]);
    expect(events.map(({ sql, durationUs }) => [sql, durationUs])).toEqual([
      ['select 1', 6000],
      ['select 2', 4500],
    ]);
  });

  it('numbers the statements before one Sync as one transaction', () => {
    const { events } = assemble([
      step('bind <unnamed>', 'insert into t values (1)'),
      step('execute <unnamed>', 'insert into t values (1)'),
      step('bind <unnamed>', 'insert into t values (2)'),
      step('execute <unnamed>', 'insert into t values (2)'),
      step('bind <unnamed>', 'insert into t values (3)', { vxid: '3/8' }),
      step('execute <unnamed>', 'insert into t values (3)', { vxid: '3/8' }),
    ]);
    expect(events.map(({ transaction }) => transaction)).toEqual([1, 1, 2]);
  });

  it('understands names that hold what the log uses as separators', () => {
    const { events } = assemble([
      step('parse get: the/user', "select 'a: b', $1"),
      step('bind get: the/user', "select 'a: b', $1", { detail: "parameters: $1 = 'x'" }),
      step('execute get: the/user', "select 'a: b', $1", { detail: "parameters: $1 = 'x'" }),
    ]);
    expect(events).toMatchObject([
      { statementName: 'get: the/user', sql: "select 'a: b', $1", parameters: ['x'], durationUs: 4500 },
    ]);
  });

  it('gives an error at the Sync to the statement that it ends', () => {
    const { events, counts } = assemble([
      step('bind <unnamed>', 'insert into t values (1)'),
      step('execute <unnamed>', 'insert into t values (1)'),
      { severity: 'ERROR', sqlstate: '23503', message: 'violates foreign key', vxid: '3/7' },
    ]);
    expect(events).toMatchObject([{ outcome: 'error', sqlstate: '23503' }]);
    expect(counts.errorsWithoutStatement).toBe(0);
  });

  it('has parameters of a failed statement from its bind, or says that it has not', () => {
    const { events, counts } = assemble([
      step('bind <unnamed>', 'select $1, $2', { detail: "Parameters: $1 = 'x', $2 = NULL" }),
      { severity: 'ERROR', sqlstate: '22012', statement: 'select $1, $2', vxid: '3/7' },
      {
        severity: 'ERROR',
        sqlstate: '22P02',
        statement: 'select $1, $2',
        tag: 'BIND',
        context: "unnamed portal parameter $2 = 'zz'",
        vxid: '3/8',
      },
    ]);
    expect(events.map(({ parameters, outcome }) => [parameters, outcome])).toEqual([
      [['x', null], 'error'],
      [null, 'error'],
    ]);
    expect(counts.parametersUnknown).toBe(1);
  });
});

describe('the simple protocol', () => {
  it('follows transaction blocks', () => {
    const simple = (sql: string, vxid = '3/7') => step('statement', sql, { vxid });
    const { events, numbers, end } = assemble([
      simple('select 0', '3/0'),
      simple('begin'),
      simple('select 1'),
      { severity: 'ERROR', sqlstate: '42P01', statement: 'select * from nope', vxid: '3/7' },
      simple('commit', '3/0'),
      simple('begin; select 2', '3/9'),
      simple('commit and chain', '3/0'),
      simple('select 3', '3/10'),
    ]);
    expect(events.map(({ transaction }) => transaction)).toEqual([1, 2, 2, 2, 2, 3, 3, 4]);
    expect(numbers.transactions).toBe(4);
    expect(end.transactionsOpen).toBe(1);
  });

  it('sees by the virtual transaction that a block has ended where that was not said', () => {
    const { events } = assemble([
      step('statement', 'begin', { vxid: '3/7' }),
      step('statement', 'select 1', { vxid: '3/9' }),
    ]);
    expect(events.map(({ transaction }) => transaction)).toEqual([1, 2]);
  });

  it('joins the text of log_statement with the duration that follows it', () => {
    const { events } = assemble([
      { message: 'statement: select 1' },
      { message: 'duration: 2.000 ms' },
      step('bind <unnamed>', 'select $1', { detail: "Parameters: $1 = 'a'" }),
      { message: 'execute <unnamed>: select $1', detail: "Parameters: $1 = 'a'", vxid: '3/7' },
      { message: 'duration: 3.000 ms', vxid: '3/7' },
    ]);
    expect(events).toMatchObject([
      { sql: 'select 1', durationUs: 2000, protocol: 'simple' },
      { sql: 'select $1', durationUs: 4500, protocol: 'extended', parameters: ['a'] },
    ]);
  });
});

describe('what else is in a log', () => {
  it('is not taken for a statement', () => {
    const { events, counts } = assemble([
      { message: 'duration: 5.000 ms  plan:\nQuery Text: select 1' },
      { message: 'AUDIT: SESSION,1,1,READ,SELECT' },
      { message: 'duration: 1.000 ms  fastpath function call: "lo_open" (OID 952)' },
      { severity: 'WARNING', message: 'x', statement: 'select 1' },
      { severity: 'ERROR', message: 'in a worker', statement: 'select 1', backendType: 'parallel worker' },
      { ...step('statement', 'select 1'), application: 'ottopilot capture', session: 'own' },
    ]);
    expect(events).toEqual([]);
    expect(counts.fastpathCalls).toBe(1);
  });

  it('shows by line numbers that messages are missing', () => {
    const { counts } = assemble([
      step('statement', 'select 1', { line: 5 }),
      step('statement', 'select 2', { line: 6 }),
      step('statement', 'select 3', { line: 10 }),
      step('statement', 'select 4', { line: 3, session: 'another' }),
    ]);
    expect(counts.missingRecords).toBe(3);
  });

  it('of before the capture only tells the state of its sessions', () => {
    const { events, numbers, counts } = assemble(
      [
        step('statement', 'select 2'),
        step('statement', 'commit', { vxid: '3/0' }),
        step('statement', 'select 3', { vxid: '3/0' }),
      ],
      {
        before: [step('statement', 'begin'), step('statement', 'select 1')],
      },
    );
    expect(events.map(({ sql, transaction }) => [sql, transaction])).toEqual([
      ['select 2', 0],
      ['commit', 0],
      ['select 3', 2],
    ]);
    expect(numbers).toMatchObject({ openAtStart: 1, transactions: 1 });
    expect(counts).toMatchObject({ sessions: 1, sessionsOpenAtStart: 1 });
  });
});

describe('LogZone', () => {
  it('knows the offsets of its abbreviations, over the change of the clocks', () => {
    const zone = new LogZone(
      new Map([
        ['CET', 3600],
        ['CEST', 7200],
        ['+0530', 19_800],
      ]),
    );
    expect(zone.toUs('2026-10-25 02:59:59.999 CEST')).toBe(Date.UTC(2026, 9, 25, 0, 59, 59, 999) * 1000);
    expect(zone.toUs('2026-10-25 02:00:00.000 CET')).toBe(Date.UTC(2026, 9, 25, 1, 0, 0, 0) * 1000);
    expect(zone.toUs('2026-10-25 02:00:00.000 +0530')).toBe(Date.UTC(2026, 9, 24, 20, 30) * 1000);
    expect(zone.toUs('2026-10-25 02:00:00.000 PST')).toBeUndefined();
    expect(zone.toUs('yesterday')).toBeUndefined();
  });
});
