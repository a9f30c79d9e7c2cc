import type { ReplayEvent } from './events.js';

const kinds: Record<string, string> = {
  'copy from': 'COPY FROM STDIN: its data are not in the log',
  'copy file': 'COPY with a file or program of the server',
  'alter system': 'ALTER SYSTEM: the settings are those of the clone',
  'create subscription': 'subscriptions: they reach other servers',
  'alter subscription': 'subscriptions: they reach other servers',
  'drop subscription': 'subscriptions: they reach other servers',
  'create database': 'CREATE and DROP DATABASE and TABLESPACE',
  'drop database': 'CREATE and DROP DATABASE and TABLESPACE',
  'create tablespace': 'CREATE and DROP DATABASE and TABLESPACE',
  'drop tablespace': 'CREATE and DROP DATABASE and TABLESPACE',
  load: 'LOAD of libraries',
};

/** Why a statement cannot be replayed from a log; undefined when it can. */
export function whySkipped(event: ReplayEvent): string | undefined {
  const byKind = kinds[event.kind];
  if (byKind) return byKind;
  if (event.kind === 'empty') return 'empty statements';
  if (event.parameters === null) return 'statements whose parameters are not in the log';
  if (/\bpg_(terminate|cancel)_backend\b|\bpg_reload_conf\b/i.test(event.sql))
    return 'functions that signal other processes';
  if (event.kind === 'multi' && /\bcopy\b[^;]*\bfrom\s+stdin\b/i.test(event.sql)) return kinds['copy from'];
  if (/^57P0[1-3]$/.test(event.sqlstate ?? ''))
    return 'statements whose session was ended by an administrator or a restart';
  if (event.sql.includes('\0') || event.parameters.some((value) => value?.includes('\0'))) {
    return 'statements with a NUL character';
  }
  return undefined;
}
