import pg from 'pg';
import Cursor from 'pg-cursor';

const port = Number(process.argv[2]);
const c = new pg.Client({
  host: '/tmp/wlexp',
  port,
  user: 'postgres',
  database: 'postgres',
  application_name: 'app "x", y',
});
await c.connect();
const set = async (n, v) => {
  await c.query(`alter system set ${n} = ${v}`);
};
await set('log_destination', "'stderr,csvlog,jsonlog'");
await set('log_min_duration_statement', '0');
await set('log_parameter_max_length', '-1');
await set('log_parameter_max_length_on_error', '-1');
const v = (await c.query('show server_version_num')).rows[0].server_version_num;
await set('log_disconnections', 'on');
await set('log_connections', "'on'");
await c.query('select pg_reload_conf()');
await new Promise((r) => setTimeout(r, 500));
console.log(
  await c
    .query(
      "select name, context, vartype, enumvals, setting from pg_settings where name in ('log_connections','log_disconnections','log_min_duration_statement','log_destination','log_parameter_max_length','log_error_verbosity','log_min_error_statement','log_rotation_size','log_truncate_on_rotation','log_duration','log_statement','debug_print_plan','log_parameter_max_length_on_error','log_min_messages','log_lock_waits')",
    )
    .then((r) => r.rows),
);
const d = new pg.Client({
  host: '/tmp/wlexp',
  port,
  user: 'postgres',
  database: 'postgres',
  application_name: 'drv',
});
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
await c.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name='victim'");
await p;
await new Promise((r) => setTimeout(r, 300));
await c.end();
