import pg from 'pg';
import Cursor from 'pg-cursor';
const port = Number(process.argv[2]);
const k = new pg.Client({host:'/tmp/wlexp',port,user:'postgres',database:'postgres',application_name:'killer'}); await k.connect();
const d = new pg.Client({host:'/tmp/wlexp',port,user:'postgres',database:'postgres',application_name:'drv'});
await d.connect();
await d.query('create table if not exists t(a int primary key, b text)');
await d.query('select $1::text as x, $2::int, $3::text', ["it's, $2 = 'q'\nnew \\ line", 5, null]);
await d.query({ name: 'ps1', text: 'select $1::text, $2::bytea', values: ['a', Buffer.from([1, 2, 255])] });
await d.query({ name: 'ps1', text: 'select $1::text, $2::bytea', values: ['b', null] });
await d.query('begin');
await d.query('insert into t values (1, $1) on conflict do nothing', ['z']);
await d.query('select * from nope').catch(() => {});
await d.query('select 1').catch(() => {});
await d.query('rollback');
await d.query('select $1::int', ['zz']).catch(() => {});
await d.query('insert into t values ($1::int, $2)', [1, 'q']).catch(() => {});
await d.query('insert into t values ($1::int, $2)', [1, 'q']).catch(() => {});
await d.query('select 1/$1::int', [0]).catch(() => {});
await d.query('select 1; select 2;\n select 3');
await d.query('select 1; select 2/0; select 3').catch(() => {});
await d.query('syntax error here').catch(() => {});
await d.query('syntax $1 error here', [1]).catch(() => {});
await d.query({ text: 'select 7 as no_params', queryMode: 'extended' });
await d.query('prepare p as select $1::text || $2::text');
await d.query("execute p('a, $2 = ''', 'x')");
const cur = d.query(new Cursor('select g from generate_series(1,$1::int) g', [10]));
await cur.read(3);
await cur.read(3);
await cur.read(10);
await cur.close();
await d.query('');
await d.query({ text: '', queryMode: 'extended' });
await d.query('copy t to stdout').catch((e) => console.log(e.message));
await d.query("do $$ begin raise notice 'hi'; perform 1/0; end $$").catch(() => {});
await d.query('set statement_timeout=50; ').catch(() => {});
await d.query('select pg_sleep($1)', [1]).catch(() => {});
await d.query('declare c cursor with hold for select 1; fetch c; close c');
await d.query('select $1::text[]', [['a', 'b"c', null]]);
await d.query('select $1::text', ['tab\tcr\r ünï 😀 \u0001']);
await d.end();
// kill in midst
const e = new pg.Client({
  host: '/tmp/wlexp',
  port,
  user: 'postgres',
  database: 'postgres',
  application_name: 'victim',
});
e.on('error', () => {});
await e.connect();
const p = e.query('begin; select pg_sleep(5)').catch(() => {});
await k.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name='victim'");
await p;
await new Promise((r) => setTimeout(r, 300));
await k.end();
