import fc from 'fast-check';
import { fingerprintSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { literalFreeKey } from './literals.js';
import { Templates } from './templates.js';

let templates: Templates;
beforeAll(async () => {
  templates = await Templates.load();
});

const literal = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map(String),
  fc
    .string({ unit: fc.constantFrom("''", 'a', ' ', ';', '--', '/*', '$1', '"', '\n', ',') })
    .map((text) => `'${text}'`),
  fc.constantFrom(
    "E'a\\'b'",
    "U&'x'",
    "B'01'",
    "x'1F'",
    '$$do$$',
    'null',
    'true',
    '1e5',
    '.5',
    '-7',
    "'a' 'b'",
  ),
);
const shapes: ((a: string, b: string) => string)[] = [
  (a, b) => `select * from t where a = ${a} and b1 = ${b}`,
  (a, b) => `select "x ${1} 'q'", ${a} from t2 where c in (${a}, ${b}) -- it's`,
  (a, b) => `insert into t values (${a}, ${b})`,
  (a, b) => `update t set a = ${a} /* ${'1'} */ where b = ${b}`,
  (a, b) => `with x as (select ${a} as y) delete from t using x where t.a = ${b}`,
];

describe('templates', () => {
  it('have the fingerprint of the parser, though it is asked only once for each key', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...shapes),
        fc.array(fc.tuple(literal, literal), { minLength: 2 }),
        (shape, pairs) => {
          for (const [a, b] of pairs) {
            const sql = shape(a, b);
            expect(templates.of(sql).fingerprint, sql).toBe(fingerprintOf(sql));
          }
        },
      ),
    );
  });

  it('meet under one key when only literals differ', () => {
    expect(literalFreeKey("select 'it''s', 1.5, t1.c2 from t1 where x = $1")).toBe(
      literalFreeKey("select 'b', 20, t1.c2 from t1 where x = $1"),
    );
    expect(literalFreeKey('select 1 from t1')).not.toBe(literalFreeKey('select 1 from t2'));
  });

  it('show one normalised text', () => {
    expect(templates.of("select * from shop where id = 5 and name = 'x'")).toMatchObject({
      text: 'select * from shop where id = $1 and name = $2',
      parsed: true,
    });
    expect(templates.of('select 1').fingerprint).toBe('50fde20626009aba');
  });

  it('exist also for what cannot be parsed', () => {
    const broken = templates.of('this is no sql');
    expect(broken).toMatchObject({ parsed: false, kind: 'unparsed', text: 'this is no sql' });
    expect(broken.fingerprint).toMatch(/^raw:[0-9a-f]{16}$/);
    expect(templates.of(`select ${'('.repeat(30_000)}`).parsed).toBe(false);
    expect(templates.of('select 1').parsed).toBe(true);
  });

  it.each([
    ['begin', 'begin', 'opens'],
    ['START TRANSACTION READ ONLY', 'begin', 'opens'],
    ['end', 'commit', 'closes'],
    ['commit and chain', 'commit', 'opens'],
    ['commit and no chain', 'commit', 'closes'],
    ['abort', 'rollback', 'closes'],
    ['rollback to savepoint a', 'rollback to', 'none'],
    ["prepare transaction 'x'", 'prepare transaction', 'closes'],
    ["commit prepared 'x'", 'commit prepared', 'none'],
    ['begin; select 1', 'multi', 'opens'],
    ['begin; select 1; commit;', 'multi', 'closes'],
    ['-- begin\nselect 1;', 'select', 'none'],
    ['copy t from stdin', 'copy from', 'none'],
    ['copy (select 1) to stdout', 'copy to', 'none'],
    ["copy t from '/etc/passwd'", 'copy file', 'none'],
    ["copy t to program 'cat'", 'copy file', 'none'],
    ['with x as (select 1) insert into t select * from x', 'insert', 'none'],
    ['create index on t (a)', 'ddl', 'none'],
    ['alter system set work_mem = 1', 'alter system', 'none'],
    ['  ', 'empty', 'none'],
  ])('know what kind "%s" is', (sql, kind, effect) => {
    expect(templates.of(sql)).toMatchObject({ kind, effect });
  });

  it('are forgotten, oldest first, when there are too many', async () => {
    const few = await Templates.load(2);
    const first = few.of('select a');
    few.of('select b');
    expect(few.of('select a')).toBe(first);
    few.of('select c');
    expect(few.of('select a')).toBe(first);
  });
});

function fingerprintOf(sql: string): string {
  try {
    return fingerprintSync(sql);
  } catch {
    return templates.of(sql).fingerprint;
  }
}
