import { OttoError } from '../../base/index.js';
import { describeServer, type ServerInfo } from '../../postgres/index.js';
import type { Control } from './control.js';
import { FileLogSource, localLogFolder } from './file-source.js';
import { chooseFormat, relevantSettings, type Settings } from './log-settings.js';
import type { LogSource } from './log-source.js';
import { missingLogGrants, SqlLogSource } from './sql-source.js';
import type { LogFormat } from './types.js';

/** What a capture by log needs to know before it changes anything. */
export interface LogAccess {
  server: ServerInfo;
  settings: Settings;
  format: LogFormat;
  source: LogSource;
  why: string;
}

const alternatives =
  'Captures through pg_stat_statements, through a proxy, or from log files that you have are not available yet.';

/**
 * Finds out whether and how the log can be captured. Reads only.
 * @throws OttoError LOG_NOT_COLLECTED, LOG_NOT_READABLE, LOG_NOT_ENGLISH, UNSUPPORTED_VERSION.
 */
export async function openLog(
  control: Control,
  options: { readThroughSql?: boolean } = {},
): Promise<LogAccess> {
  const server = await control.with(describeServer);
  if (server.major < 12) {
    throw new OttoError(
      'UNSUPPORTED_VERSION',
      `the server is version ${server.version}; 12 is the oldest supported`,
    );
  }
  const settings = await readSettings(control);
  if (!server.loggingCollector) {
    throw new OttoError(
      'LOG_NOT_COLLECTED',
      'logging_collector is off: the server writes no log files that could be read',
      {
        hint: `Switching it on needs a restart of the server, which is yours to decide: ALTER SYSTEM SET logging_collector = on. ${alternatives}`,
      },
    );
  }
  const language = settings.get('lc_messages') ?? '';
  if (!isEnglish(language)) {
    throw new OttoError(
      'LOG_NOT_ENGLISH',
      `the server writes its log in another language (lc_messages = ${language})`,
      {
        hint: 'ALTER SYSTEM SET lc_messages = C, and SELECT pg_reload_conf(). It also changes the messages that clients see.',
      },
    );
  }
  const format = chooseFormat(settings, server.major);
  const { source, why } = await openSource(control, server, settings, options.readThroughSql ?? false);
  return { server, settings, format, source, why: `the server collects its log (${format}); ${why}` };
}

/** Empty means that the server follows its environment: then its log tells. */
export function isEnglish(lcMessages: string): boolean {
  return lcMessages === '' || /^(C|POSIX|en)([_.@].*)?$/i.test(lcMessages);
}

async function openSource(
  control: Control,
  server: ServerInfo,
  settings: Settings,
  throughSql: boolean,
): Promise<{ source: LogSource; why: string }> {
  const logDirectory = settings.get('log_directory') ?? 'log';
  const local = throughSql
    ? { why: 'it was asked to be read through SQL' }
    : await localLogFolder({ ...server, logDirectory });
  if ('folder' in local)
    return { source: new FileLogSource(local.folder), why: 'its files can be read here' };
  const missing = await missingLogGrants(control);
  if (missing.length === 0) {
    return { source: new SqlLogSource(control), why: `read through SQL, as ${local.why}` };
  }
  throw new OttoError(
    'LOG_NOT_READABLE',
    `the log can neither be read as files (${local.why}) nor through SQL`,
    {
      hint: `As a superuser: ${missing.join('; ')}; or run a worker on the server's machine under an account that may read the log. ${alternatives}`,
    },
  );
}

/** The settings that decide what the log says, as a new session has them. */
export async function readSettings(control: Control): Promise<Settings> {
  const rows = await control.query<{ name: string; value: string | null }>(
    // The reset value: our own session has settings of its own.
    'select name, coalesce(reset_val, setting) as value from pg_settings where name = any($1)',
    [[...relevantSettings, 'log_directory']],
  );
  return new Map(rows.map(({ name, value }) => [name, value ?? '']));
}
