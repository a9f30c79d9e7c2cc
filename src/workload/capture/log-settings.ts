import type { LogFormat } from './types.js';

/** Everything that decides what the log says of statements. */
export const relevantSettings = [
  'log_destination',
  'log_min_duration_statement',
  'log_parameter_max_length',
  'log_parameter_max_length_on_error',
  'log_min_error_statement',
  'log_min_messages',
  'log_error_verbosity',
  'log_connections',
  'log_disconnections',
  'lc_messages',
];

/** Those whose change in mid-capture, or for some roles, makes the archive incomplete. */
export const decisiveSettings = relevantSettings.slice(1, 7);

/** Values by setting, as `current_setting` gives them. */
export type Settings = ReadonlyMap<string, string>;

/** Which format to read: one that the owner has already, else the best that the server knows. */
export function chooseFormat(settings: Settings, major: number): LogFormat {
  const destinations = destinationsOf(settings);
  if (destinations.includes('jsonlog')) return 'jsonlog';
  if (destinations.includes('csvlog')) return 'csvlog';
  return major >= 15 ? 'jsonlog' : 'csvlog';
}

function destinationsOf(settings: Settings): string[] {
  return (settings.get('log_destination') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The settings that must change, and to what. Those that serve as they are stay the owner's. */
export function wantedSettings(settings: Settings, format: LogFormat): Record<string, string> {
  const wanted: Record<string, string> = {};
  const want = (name: string, value: string, serves: (now: string) => boolean) => {
    const now = settings.get(name);
    // A setting that this version does not have is not wanted.
    if (now !== undefined && !serves(now)) wanted[name] = value;
  };
  const destinations = destinationsOf(settings);
  want('log_destination', [...destinations, format].join(','), () => destinations.includes(format));
  // With 0 every statement is logged, whatever log_statement_sample_rate and log_transaction_sample_rate say.
  want('log_min_duration_statement', '0', (now) => Number.parseInt(now, 10) === 0);
  want('log_parameter_max_length', '-1', (now) => now === '-1');
  want('log_parameter_max_length_on_error', '-1', (now) => now === '-1');
  want('log_min_error_statement', 'error', (now) => !stricterThanError.has(now));
  // LOG ranks above ERROR here: `fatal` would keep every duration out of the log.
  want('log_min_messages', 'error', (now) => !stricterThanError.has(now));
  want('log_error_verbosity', 'default', (now) => now !== 'terse');
  // A list since version 18; `on` means the stages that every version logs.
  want('log_connections', 'on', (now) => /^(on|true|yes|1)$|\ball\b|\bauthorization\b/.test(now));
  want('log_disconnections', 'on', (now) => now === 'on');
  return wanted;
}

const stricterThanError = new Set(['log', 'fatal', 'panic']);
