import type { SettingOverride } from '../../postgres/index.js';
import type { LogFollower } from './log-follower.js';
import type { LogTail } from './log-tail.js';
import type { Lost } from './types.js';

export interface LossFacts {
  tail: LogTail;
  follower: LogFollower;
  overrides: SettingOverride[];
  runningAtStart: number;
  runningAtEnd: number | null;
  activityComplete: boolean;
  endMarkerSeen: boolean;
  markerMs: number;
  restarts: Date[];
  changedByOthers: { setting: string; to: string }[];
  /** Set when it ended before its time. */
  endedEarly?: string;
}

/** Everything that happened and is not in the archive, or only in part, by name. */
export function lostOf(facts: LossFacts): Lost[] {
  const { tail, follower } = facts;
  const { counts } = follower.assembler;
  const lost: Lost[] = [];
  const add = (what: string, count: number | null, why: string) => {
    if (count !== 0) lost.push({ what, count, why });
  };
  const partial = facts.activityComplete ? '' : ' (at least: the role may not see the sessions of others)';
  add(
    'statements running at the start',
    facts.runningAtStart,
    `they began before the settings were in force${partial}`,
  );
  add('statements running at the end', facts.runningAtEnd, `a statement is logged when it ends${partial}`);
  for (const { setting, value, by, role, database } of facts.overrides) {
    const whose = [role && `role ${role}`, database && `database ${database}`].filter(Boolean).join(' in ');
    add(
      `statements of ${whose}`,
      null,
      `${setting} = ${value} is set for the ${by} and outranks the capture's value`,
    );
  }
  add('log records', counts.missingRecords, 'the line numbers of their sessions have holes');
  add('log records', tail.malformed, 'they could not be read');
  add('log records', tail.countCutOff(), 'their file ended in the middle of them');
  add('characters in log records', tail.replaced, 'they are not UTF-8 and were replaced by U+FFFD');
  add(
    'log records',
    counts.unknownTimes,
    'their time is in a zone that log_timezone did not have at the start',
  );
  if (tail.truncations > 0) {
    add(
      'log records',
      null,
      `a log file was emptied ${tail.truncations} times while it was read (log_truncate_on_rotation, or a log rotation that copies and truncates)`,
    );
  }
  add(
    'statements of failed errors',
    counts.errorsWithoutStatement,
    'the log names no statement for these errors',
  );
  add(
    'parameters of statements',
    counts.parametersUnknown,
    'the server refused a parameter before it could log them all',
  );
  add('fast-path function calls', counts.fastpathCalls, 'the log holds no arguments of them');
  if (facts.restarts.length > 0) {
    add(
      'statements running at a restart',
      null,
      `the server was started again at ${facts.restarts.map((at) => at.toISOString()).join(', ')}; ${follower.sessionsCutOff} sessions ended without a word`,
    );
  }
  for (const { setting, to } of facts.changedByOthers) {
    add('statements', null, `${setting} was changed to ${to} by someone else during the capture`);
  }
  if (!facts.endMarkerSeen) {
    add(
      'statements',
      null,
      `the log did not show the end of the capture within ${facts.markerMs / 1000} s: the last ones may be missing`,
    );
  }
  if (facts.endedEarly) add('the rest of the time', null, facts.endedEarly);
  return lost;
}
