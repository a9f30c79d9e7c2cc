import { access } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { execa } from 'execa';
import type pg from 'pg';
import type { Installation } from '../installations.js';
import { splitNames } from '../settings/auto-conf.js';

interface SettingRow {
  name: string;
  setting: string;
  unit: string | null;
  source: string;
}

/** Settings of the source that a copy shall have, and what could not be taken over. */
export interface CarriedSettings {
  settings: Record<string, string>;
  notes: string[];
}

/**
 * Never taken over: where the source listens and keeps its files, what it tells other servers, its archive, its log,
 * and what depends on the machine or the build.
 */
const notCarried = new RegExp(
  `^(${[
    'port|listen_addresses|unix_socket_.*|bonjour.*|external_pid_file|tcp_.*',
    'data_directory|config_file|hba_file|ident_file|stats_temp_directory',
    'ssl.*|krb_.*|gss_.*|oauth_.*|db_user_namespace',
    'archive_.*|restore_command|recovery_.*|primary_.*|promote_trigger_file|wal_receiver_.*|hot_standby.*',
    'cluster_name|synchronous_standby_names|synchronized_standby_slots|sync_replication_slots|track_commit_timestamp',
    'wal_keep_.*|max_slot_wal_keep_size|idle_replication_slot_timeout|wal_level|wal_sync_method|summarize_wal|wal_summary_.*',
    'log_.*|logging_collector|syslog_.*|event_source',
    'huge_page.*|shared_memory_type|dynamic_shared_memory_type|min_dynamic_shared_memory|io_method|preload_.*',
    'dynamic_library_path|extension_control_path|jit_provider|lc_.*|allow_alter_system|allow_in_place_tablespaces',
    'fsync|default_transaction_read_only|transaction_.*|in_hot_standby|restart_after_crash|debug_.*|zero_damaged_pages|ignore_.*',
    'shared_preload_libraries|session_preload_libraries|local_preload_libraries',
    'max_logical_replication_workers|max_sync_workers_per_subscription',
    'cron\\..*|pglogical\\..*|bdr\\..*|repmgr\\..*',
  ].join('|')})$`,
);

/** Libraries whose background workers act on the outside (run jobs, feed other servers): a copy must do neither. */
const actOutside = new Set([
  'pg_cron',
  'pgagent',
  'pglogical',
  'bdr',
  'repmgr',
  'pg_failover_slots',
  'pgautofailover',
  'spock',
]);

/** Recovery needs room for what the source had: fewer would refuse to replay its WAL. */
const atLeastAsSource = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
];

/** Reads what the source runs with and says what a copy of it shall run with. */
export async function carriedSettings(
  client: pg.ClientBase,
  installation: Installation,
): Promise<CarriedSettings> {
  const { rows } = await client.query<SettingRow>('select name, setting, unit, source from pg_settings');
  const settings: Record<string, string> = {};
  const notes: string[] = [];
  for (const { name, setting, source } of rows) {
    const chosen = source === 'configuration file' || source === 'command line';
    if ((chosen || atLeastAsSource.includes(name)) && !notCarried.test(name)) settings[name] = setting;
  }
  await carryLibraries(rows, installation, settings, notes);
  limitSharedBuffers(rows, settings, notes);
  return { settings, notes };
}

async function carryLibraries(
  rows: SettingRow[],
  installation: Installation,
  settings: Record<string, string>,
  notes: string[],
): Promise<void> {
  for (const name of ['shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries']) {
    const wanted = splitNames(rows.find((row) => row.name === name)?.setting ?? '');
    const kept: string[] = [];
    for (const library of wanted) {
      if (actOutside.has(library))
        notes.push(`${library} is left out: it would act on other servers or run jobs`);
      else if (await libraryExists(library, installation)) kept.push(library);
      else
        notes.push(
          `${library} is left out: this machine does not have it for PostgreSQL ${installation.major}`,
        );
    }
    if (kept.length > 0) settings[name] = kept.map(quoteName).join(', ');
  }
}

function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_$/.]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

async function libraryExists(library: string, installation: Installation): Promise<boolean> {
  const file = /\.(so|dylib|dll)$/.test(library)
    ? library
    : `${library}.${process.platform === 'darwin' ? 'dylib' : 'so'}`;
  const plain = file.replace(/^\$libdir\//, '');
  const folders = isAbsolute(plain) ? [''] : await libraryFolders(installation);
  for (const folder of folders) {
    if (
      await access(join(folder, plain)).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

/** Where the installation keeps its loadable modules: pg_config says it, where there is one. */
async function libraryFolders(installation: Installation): Promise<string[]> {
  const top = dirname(installation.bin);
  const guesses = [join(top, 'lib'), join(top, 'lib', 'postgresql')];
  const { stdout, failed } = await execa(join(installation.bin, 'pg_config'), ['--pkglibdir'], {
    reject: false,
    timeout: 10_000,
  });
  return failed ? guesses : [String(stdout).trim(), ...guesses];
}

/** A copy shares its machine with others: it gets what its source has, up to a quarter of the memory. */
function limitSharedBuffers(rows: SettingRow[], settings: Record<string, string>, notes: string[]): void {
  const row = rows.find(({ name }) => name === 'shared_buffers');
  const blockBytes = Number(rows.find(({ name }) => name === 'block_size')?.setting ?? 8192);
  if (!row) return;
  const limit = Math.floor(totalmem() / 4 / blockBytes);
  settings.shared_buffers = String(Math.min(Number(row.setting), limit));
  if (Number(row.setting) > limit) {
    notes.push(
      `shared_buffers is ${limit} blocks instead of ${row.setting}: a quarter of this machine's memory`,
    );
  }
}
