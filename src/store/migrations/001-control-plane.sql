-- Everything the control plane remembers. Ids are text with a readable prefix (run_…, wrk_…), times are timestamptz.

create table targets (
  id text primary key,
  name text not null unique,
  -- AES-256-GCM envelopes of connection strings: see store/secrets.ts.
  url_secret text not null,
  replica_url_secret text,
  -- What may be shown: host, port, database, user.
  address jsonb not null,
  replica_address jsonb,
  production boolean not null default true,
  state text not null default 'UNKNOWN' check (state in ('UNKNOWN', 'HEALTHY', 'UNHEALTHY')),
  health jsonb,
  checked_at timestamptz,
  created_at timestamptz not null default now(),
  removed_at timestamptz
);

create table tokens (
  id text primary key,
  name text not null,
  role text not null check (role in ('viewer', 'operator', 'admin', 'worker')),
  -- SHA-256 of the token, hex; the token itself is shown once and never stored.
  hash text not null unique,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);

create table control_planes (
  -- Also the DBOS executor id. A new process is a new control plane.
  id text primary key,
  host text not null,
  pid integer not null,
  version text not null,
  address jsonb not null default '{}',
  started_at timestamptz not null default now(),
  lease_expires_at timestamptz not null,
  stopped_at timestamptz
);

create table schedules (
  id text primary key,
  name text not null unique,
  cron text not null,
  time_zone text not null default 'UTC',
  -- The DAG as submitted, and its parameters.
  document jsonb not null,
  parameters jsonb not null default '{}',
  target_id text references targets (id),
  -- What to do when the previous run has not ended: start another, or skip this time.
  overlap text not null default 'skip' check (overlap in ('skip', 'allow')),
  enabled boolean not null default true,
  next_at timestamptz,
  last_at timestamptz,
  last_run_id text,
  last_note text,
  created_by text not null,
  created_at timestamptz not null default now()
);

create table runs (
  id text primary key,
  name text not null,
  -- The validated DAG in its normal form, and the document as it was submitted.
  dag jsonb not null,
  document jsonb not null,
  parameters jsonb not null default '{}',
  target_id text references targets (id),
  state text not null default 'PENDING'
    check (state in ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT')),
  -- Counts resumptions: the durable workflow of generation n is '<id>/<n>'.
  generation integer not null default 0,
  -- Fencing: every write of the driving control plane names the epoch it claimed the run with.
  epoch integer not null default 0,
  owner text,
  cancel_requested_at timestamptz,
  cancel_requested_by text,
  error jsonb,
  rerun_of text,
  schedule_id text references schedules (id) on delete set null,
  created_by text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  deadline_at timestamptz
);
create index runs_open on runs (state) where state in ('PENDING', 'RUNNING');
create index runs_recent on runs (created_at desc);

create table commands (
  run_id text not null references runs (id) on delete cascade,
  name text not null,
  ordinal integer not null,
  type text not null,
  parents text[] not null,
  cleanup boolean not null default false,
  state text not null default 'PENDING'
    check (state in ('PENDING', 'READY', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED', 'TIMED_OUT')),
  -- Attempts made so far; also the number of the current one.
  attempt integer not null default 0,
  -- Of these, the ones before the last resumption: they do not count against the retry policy.
  attempts_before integer not null default 0,
  -- A worker lost under a command is not the command's fault: counted apart from attempts that failed.
  losses integer not null default 0,
  not_before timestamptz,
  deadline_at timestamptz,
  input jsonb,
  output jsonb,
  error jsonb,
  -- Why it waits or was skipped, in words.
  reason text,
  progress jsonb,
  worker_id text,
  ready_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (run_id, name)
);

-- One try at one command. For a command that runs at a worker it is also the assignment.
create table attempts (
  -- '<run>/<command>/<number>': the idempotency key of its effects.
  id text primary key,
  run_id text not null,
  command text not null,
  number integer not null,
  -- Null: carried out by the control plane itself.
  worker_id text,
  -- The worker's lease under which it was handed out; a report under an older lease is refused.
  lease_epoch integer,
  state text not null default 'ASSIGNED'
    check (state in ('ASSIGNED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'LOST')),
  input jsonb not null,
  output jsonb,
  error jsonb,
  cancel_requested_at timestamptz,
  deadline_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  foreign key (run_id, command) references commands (run_id, name) on delete cascade,
  unique (run_id, command, number)
);
create index attempts_open on attempts (worker_id) where state in ('ASSIGNED', 'RUNNING');

-- The log of a run and what the live view follows. Small: a line or a change of state, never a payload.
create table events (
  id bigint generated always as identity primary key,
  run_id text not null references runs (id) on delete cascade,
  at timestamptz not null default now(),
  kind text not null check (kind in ('run', 'command', 'log', 'progress')),
  command text,
  level text not null default 'info' check (level in ('debug', 'info', 'warn', 'error')),
  message text not null,
  data jsonb
);
create index events_of_run on events (run_id, id);

-- A key held by a command of a run: others with the same key wait.
create table concurrency_locks (
  key text primary key,
  run_id text not null references runs (id) on delete cascade,
  command text not null,
  acquired_at timestamptz not null default now()
);

create table workers (
  id text primary key,
  kind text not null check (kind in ('primary', 'exploratory')),
  name text not null,
  how text not null check (how in ('local', 'ssh', 'manual')),
  target_id text references targets (id),
  state text not null default 'STARTING' check (state in ('STARTING', 'READY', 'DRAINING', 'LOST', 'STOPPED')),
  -- '<run>/<command>' of the launch: launching twice finds the first.
  launch_key text unique,
  run_id text,
  token_id text references tokens (id),
  lease_epoch integer not null default 0,
  lease_expires_at timestamptz,
  -- The control plane that holds its connection.
  control_plane_id text,
  -- host, pid, version, root, free disk, Postgres found, region, what it allows.
  info jsonb not null default '{}',
  -- How to start it again (never secrets): see control/launch.
  launch jsonb not null default '{}',
  note text,
  created_at timestamptz not null default now(),
  attached_at timestamptz,
  stopped_at timestamptz
);
create index workers_open on workers (state) where state <> 'STOPPED';

-- Exploratory instances. Only what is written here may ever be stopped or deleted.
create table clones (
  id text primary key,
  run_id text,
  -- The LAUNCH_EXPLORATORY_POSTGRES command that made it.
  command text,
  worker_id text not null,
  target_id text,
  method text,
  source text,
  state text not null default 'STARTING' check (state in ('STARTING', 'READY', 'STOPPING', 'STOPPED', 'LOST')),
  keep boolean not null default false,
  connection jsonb,
  version text,
  lsn text,
  bytes bigint,
  seconds double precision,
  limits jsonb not null default '{}',
  expires_at timestamptz,
  note text,
  created_at timestamptz not null default now(),
  stopped_at timestamptz
);
create index clones_open on clones (worker_id) where state <> 'STOPPED';

-- The journal: what stood before we changed a server's settings. Written before the change.
create table changes (
  id text primary key,
  target_id text not null references targets (id),
  -- 'primary' or 'replica'
  server text not null,
  setting text not null,
  -- The line in postgresql.auto.conf before us (null: there was none), and the effective value and its source.
  before jsonb not null,
  ours text not null,
  state text not null default 'INTENDED' check (state in ('INTENDED', 'RESTORED', 'KEPT_THEIRS')),
  reason text not null,
  run_id text,
  command text,
  worker_id text,
  note text,
  created_at timestamptz not null default now(),
  resolved_at timestamptz
);
-- One open change a setting: two captures cannot journal each other's values as the owner's.
create unique index changes_open on changes (target_id, server, setting) where state = 'INTENDED';

create table artifacts (
  id text primary key,
  kind text not null,
  name text not null,
  format text not null,
  bytes bigint not null,
  rows bigint,
  sha256 text not null,
  -- Relative to the artifact store.
  location text not null,
  -- kind, schema version, columns, provenance: what made it, from which inputs, with which version.
  manifest jsonb not null,
  target_id text,
  run_id text,
  command text,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  deleted_at timestamptz
);
create index artifacts_recent on artifacts (created_at desc) where deleted_at is null;

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  role text not null,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}',
  outcome text not null default 'done' check (outcome in ('done', 'refused', 'failed'))
);

-- Live views and the dispatcher wake on these. A payload is an id; who wants more reads the row.
create function notify_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('otto_event', new.run_id || ' ' || new.id);
  return null;
end $$;
create trigger events_notify after insert on events for each row execute function notify_event();

create function notify_attempt() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.worker_id is not null then
      perform pg_notify('otto_assign', new.worker_id || ' ' || new.id);
    end if;
  elsif new.cancel_requested_at is distinct from old.cancel_requested_at then
    perform pg_notify('otto_assign', coalesce(new.worker_id, '-') || ' ' || new.id);
  elsif new.state is distinct from old.state and new.state not in ('ASSIGNED', 'RUNNING') then
    perform pg_notify('otto_run', new.run_id);
  end if;
  return null;
end $$;
create trigger attempts_notify after insert or update on attempts for each row execute function notify_attempt();

create function notify_run() returns trigger language plpgsql as $$
begin
  perform pg_notify('otto_run', new.id);
  return null;
end $$;
create trigger runs_notify_cancel after update of cancel_requested_at on runs for each row
  when (new.cancel_requested_at is distinct from old.cancel_requested_at) execute function notify_run();

create function notify_lock() returns trigger language plpgsql as $$
begin
  perform pg_notify('otto_lock', old.key);
  return null;
end $$;
create trigger locks_notify after delete on concurrency_locks for each row execute function notify_lock();

create function notify_fleet() returns trigger language plpgsql as $$
begin
  perform pg_notify('otto_fleet', tg_table_name || ' ' || new.id);
  return null;
end $$;
create trigger workers_notify after insert or update of state on workers for each row execute function notify_fleet();
create trigger clones_notify after insert or update of state on clones for each row execute function notify_fleet();
create trigger targets_notify after insert or update of state, removed_at on targets for each row execute function notify_fleet();
create trigger artifacts_notify after insert or update of deleted_at on artifacts for each row execute function notify_fleet();
