import type pg from 'pg';
import { InputError, type Logger, OttoError, silentLogger } from '../../base/index.js';
import { withConnection } from '../connect.js';
import { autoConfLine, sameLine, writeAutoConf } from './auto-conf.js';
import { describeOverride, findOverrides } from './overrides.js';
import { requirePrivileges } from './privileges.js';
import { reload } from './reload.js';
import { restoreSettings } from './restore.js';
import type { Journal, OpenChange, SettingOverride } from './types.js';

export interface ChangeOptions {
  server: 'primary' | 'replica';
  /** Kept in the journal, for people. */
  reason: string;
  /** Limit of the wait until the new values are in force; default 10 000. */
  timeoutMs?: number;
  /** Told of roles and databases whose sessions keep a value of their own (ALTER ROLE or DATABASE … SET). */
  onOverride?: (overrides: SettingOverride[]) => void;
  signal?: AbortSignal;
  logger?: Logger;
}

interface Row {
  name: string;
  context: string;
  source: string;
  value: string;
}

const settingSql =
  'select name, context, source, current_setting(name) as value from pg_settings where lower(name) = lower($1)';
const byReload = new Set(['sighup', 'superuser', 'user', 'backend', 'superuser-backend']);

/**
 * Changes settings of a running server by ALTER SYSTEM and reload, never by restart. What stood there is journalled
 * first. Returns when new sessions have every value (running ones follow at their next statement; settings of context
 * `backend` hold for new sessions only). When any of it fails, what was changed is restored.
 * @throws InputError UNKNOWN_SETTING; OttoError RESTART_NEEDED, SETTING_OVERRIDDEN, SETTING_REFUSED, MISSING_PRIVILEGE,
 * CHANGE_NOT_IN_FORCE, RELOAD_TIMEOUT, those of `connect` and of the journal.
 */
export async function changeSettings(
  url: string,
  values: Record<string, string>,
  journal: Journal,
  options: ChangeOptions,
): Promise<OpenChange[]> {
  const names = Object.keys(values);
  if (names.length === 0) return [];
  return withConnection(url, { signal: options.signal }, async (client) => {
    await requirePrivileges(client, names);
    const intents: Omit<OpenChange, 'id'>[] = [];
    for (const [setting, ours] of Object.entries(values)) {
      const { value, source } = await changeable(client, setting, ours);
      const autoConf = await autoConfLine(client, setting);
      intents.push({ server: options.server, setting, before: { autoConf, value, source }, ours });
    }
    await refuseOverrides(client, names, options);
    options.signal?.throwIfAborted();
    const changes = await journal.intend(intents, options.reason);
    try {
      await carryOut(client, url, changes, options);
    } catch (error) {
      await takeBack(url, changes, journal, error, options.logger ?? silentLogger);
      throw error;
    }
    return changes;
  });
}

async function changeable(client: pg.ClientBase, setting: string, ours: string): Promise<Row> {
  const { rows } = await client.query<Row>(settingSql, [setting]);
  const row = rows[0];
  if (row === undefined) {
    throw new InputError(`the server has no setting ${setting}, or this role may not see it`, {
      code: 'UNKNOWN_SETTING',
      where: setting,
    });
  }
  if (row.context === 'postmaster') {
    throw new OttoError(
      'RESTART_NEEDED',
      `${setting} comes into force only with a restart, and nothing is restarted here`,
      {
        where: setting,
        hint: `Set ${setting} yourself and restart the server at a time that suits.`,
      },
    );
  }
  if (!byReload.has(row.context)) {
    throw new OttoError('SETTING_REFUSED', `${setting} cannot be changed (context ${row.context})`, {
      where: setting,
    });
  }
  if (/[\r\n]/.test(ours)) {
    throw new InputError(`the value for ${setting} has a line break`, { where: setting });
  }
  return row;
}

/** One that would keep our value from ever showing is an error; the others are told. */
async function refuseOverrides(
  client: pg.ClientBase,
  names: string[],
  options: ChangeOptions,
): Promise<void> {
  const overrides = await findOverrides(client, names);
  const { rows } = await client.query<{ role: string; database: string }>(
    'select current_user as role, current_database() as database',
  );
  const here = rows[0]!;
  const final = overrides.find(
    ({ role, database }) =>
      (role ?? here.role) === here.role && (database ?? here.database) === here.database,
  );
  if (final) {
    throw new OttoError(
      'SETTING_OVERRIDDEN',
      `${final.setting} is set to ${final.value} by ${describeOverride(final)}: a change of the configuration would not come into force`,
      { where: final.setting, hint: 'Remove it there, or connect as a role that it does not concern.' },
    );
  }
  if (overrides.length === 0) return;
  options.logger?.warn({ overrides }, 'sessions of some roles or databases keep their own values');
  options.onOverride?.(overrides);
}

async function carryOut(
  client: pg.ClientBase,
  url: string,
  changes: OpenChange[],
  options: ChangeOptions,
): Promise<void> {
  for (const { setting, ours } of changes) {
    options.signal?.throwIfAborted();
    await writeAutoConf(client, setting, ours);
  }
  await reload(client, url, options.timeoutMs ?? 10_000, options.signal);
  // Any session that begins now has the values that the server took from its files.
  await withConnection(url, { signal: options.signal }, async (fresh) => {
    for (const change of changes) await requireInForce(fresh, change);
  });
}

async function requireInForce(fresh: pg.ClientBase, { setting, ours }: OpenChange): Promise<void> {
  const { rows } = await fresh.query<{ value: string; source: string; file: string | null }>(
    'select setting as value, source, sourcefile as file from pg_settings where lower(name) = lower($1)',
    [setting],
  );
  const row = rows[0];
  const line = await autoConfLine(fresh, setting);
  if (row?.file?.endsWith('/postgresql.auto.conf') && sameLine(setting, line, ours)) return;
  throw new OttoError(
    'CHANGE_NOT_IN_FORCE',
    `${setting} was set to ${ours}, but the server has ${row?.value ?? 'nothing'} (${row?.file ?? row?.source ?? 'gone'})`,
    { where: setting, hint: 'Its log says whether the configuration files have an error.' },
  );
}

async function takeBack(
  url: string,
  changes: OpenChange[],
  journal: Journal,
  why: unknown,
  logger: Logger,
): Promise<void> {
  try {
    await restoreSettings(url, changes, journal);
  } catch (error) {
    // The journal still has them open: they are restored later. The first error is the one to report.
    logger.error({ err: error, after: why }, 'a change that failed could not be restored yet');
  }
}
