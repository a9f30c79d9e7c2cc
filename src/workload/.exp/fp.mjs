import * as q from 'libpg-query';

await q.loadModule();
const f = (s) => {
  try {
    return q.fingerprintSync(s) + ' | ' + q.normalizeSync(s);
  } catch (e) {
    return 'ERR ' + e.constructor.name + ' ' + e.message;
  }
};
for (const s of [
  '',
  '  ',
  'select 1',
  '-- c\nselect 2',
  'select 1; select 2',
  'begin',
  'BEGIN ISOLATION LEVEL SERIALIZABLE',
  'execute p(1,2)',
  "execute p('a',-2)",
  'execute q(1)',
  "set x = 'a'",
  "set x = 'b'",
  'do $$ begin end $$',
  'do $$ begin null; end $$',
  'select -5',
  'select 5',
  'select - 5',
  'select a from t limit 10',
  "select a from t limit 'x'",
  'insert into t values (1,2),(3,4)',
  'insert into t values (1,2)',
  "select 'a'::varchar(10)",
  "select interval '1 day'",
  "select E'a\\n', U&'x', B'01', x'1f'",
  'select 1.5e10',
  'select true',
  'select null',
  'select $1',
  'syntax err',
  'copy t from stdin',
  "select e'\\'' , 'x'",
  'with x as (select 1) insert into t select * from x',
  'select 1 /* c; d */',
  'select 1;',
])
  console.log(JSON.stringify(s), f(s));
const ast = q.parseSync(
  'begin; commit and chain; rollback to savepoint a; select 1; copy t from stdin; copy t to program $$x$$',
);
console.log(JSON.stringify(ast.stmts.map((s) => s.stmt)).slice(0, 1500));
const n = 0;
let t = performance.now();
for (let i = 0; i < 5000; i++) {
  q.fingerprintSync(`select * from pgbench_accounts where aid = ${i} and x = 'a${i}'`);
}
console.log('fp/s', 5000 / ((performance.now() - t) / 1000));
t = performance.now();
for (let i = 0; i < 5000; i++) {
  q.normalizeSync(`select * from pgbench_accounts where aid = ${i} and x = 'a${i}'`);
}
console.log('norm/s', 5000 / ((performance.now() - t) / 1000));
t = performance.now();
for (let i = 0; i < 5000; i++) {
  q.parseSync(`select * from pgbench_accounts where aid = ${i} and x = 'a${i}'`);
}
console.log('parse/s', 5000 / ((performance.now() - t) / 1000));
const deep = 'select ' + '('.repeat(20000) + '1' + ')'.repeat(20000);
console.log(f(deep).slice(0, 200));
console.log(f('select 1'));
const long = 'select * from t where a in (' + Array.from({ length: 200000 }, (_, i) => i).join(',') + ')';
t = performance.now();
console.log(long.length, f(long).slice(0, 100), performance.now() - t);
console.log(f('select 1'));
