// biome-ignore-all lint/suspicious/noTemplateCurlyInString: bindings of the DAG format
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type DagIssue, validateDag } from './index.js';
import { binding, envelope } from './testing/envelope.js';
import { stubTypes } from './testing/stub-types.js';

const types = stubTypes();

/** Issues of the envelope after `change`. */
function issuesAfter(change: (document: ReturnType<typeof envelope>) => void): string[] {
  const document = envelope();
  change(document);
  return said(validateDag(document, types).issues);
}

function said(issues: DagIssue[]): string[] {
  return issues.map(({ path, message }) => `${path}: ${message}`);
}

describe('a valid document', () => {
  it('becomes its normal form, from text or value, JSON or YAML', () => {
    const fromValue = validateDag(envelope(), types);
    expect(fromValue.issues).toEqual([]);
    expect(fromValue.parameters).toEqual({ seconds: 10 });
    expect(fromValue.dag?.commands[5]).toEqual({
      name: 'stop',
      type: 'STOP_EXPLORATORY_POSTGRES',
      parents: ['replay'],
      config: { launch_command: 'clone-1' },
      retry: { attempts: 1, backoffMs: 1000, factor: 2, maxBackoffMs: 300_000 },
      when: 'all_done',
      cleanup: true,
    });
    for (const text of [
      JSON.stringify(envelope()),
      JSON.stringify(envelope(), null, '\t'),
      stringify(envelope()),
    ]) {
      expect(validateDag(text, types)).toEqual(fromValue);
    }
    expect(validateDag(`\ufeff${JSON.stringify(envelope())}`, types).issues).toEqual([]);
  });

  it('takes the original bare list, and a name for it', () => {
    const list = [{ command_type: 'LAUNCH_PRIMARY_WORKER', command_name: 'w', parent_command_names: [] }];
    expect(validateDag(list, types, { name: 'sample' }).dag).toMatchObject({
      name: 'sample',
      version: '1',
      parameters: [],
    });
  });

  it('reads durations, retries and the condition', () => {
    const document = envelope();
    Object.assign(document, { timeout: '1h30m', version: 3 });
    Object.assign(document.commands[4]!, {
      timeout: 90,
      retry: { attempts: 4, backoff: '250ms', max_backoff: '1m' },
      when: binding('commands.capture.output.counts.events > 0'),
      concurrency_key: `replay-${binding('run.id')}`,
    });
    const { dag, issues } = validateDag(document, types);
    expect(issues).toEqual([]);
    expect(dag).toMatchObject({ timeoutMs: 5_400_000, version: '3' });
    expect(dag?.commands[4]).toMatchObject({
      timeoutMs: 90_000,
      retry: { attempts: 4, backoffMs: 250, factor: 2, maxBackoffMs: 60_000 },
      when: 'commands.capture.output.counts.events > 0',
    });
  });
});

describe('each mistake is found, with its path', () => {
  const cases: [string, (document: ReturnType<typeof envelope>) => void, string[]][] = [
    [
      "unknown type: the typo of the original's own sample",
      (d) => Object.assign(d.commands[5]!, { command_type: 'STOP_EXPLORAOTRY_POSTGRES' }),
      [
        'commands[5].command_type: there is no command type "STOP_EXPLORAOTRY_POSTGRES"; did you mean "STOP_EXPLORATORY_POSTGRES"?',
      ],
    ],
    [
      'duplicate name',
      (d) => d.commands.push({ ...d.commands[0]! }),
      ['commands[6].command_name: "primary" is already the name of command 1; each needs its own'],
    ],
    [
      'missing parent',
      (d) => Object.assign(d.commands[4]!, { parent_command_names: ['capture', 'clone_1'] }),
      ['commands[4].parent_command_names[1]: there is no command "clone_1"; did you mean "clone-1"?'],
    ],
    [
      'parent listed twice, and itself',
      (d) => Object.assign(d.commands[4]!, { parent_command_names: ['capture', 'capture', 'replay'] }),
      [
        'commands[4].parent_command_names[1]: "capture" is listed twice',
        'commands[4].parent_command_names[2]: "replay" depends on itself: replay → replay',
      ],
    ],
    [
      'a cycle is printed',
      (d) => Object.assign(d.commands[1]!, { parent_command_names: ['capture'] }),
      ['commands[1].parent_command_names: is part of a cycle: explorer → clone-1 → capture → explorer'],
    ],
    [
      'bad config',
      (d) => Object.assign(d.commands[2]!, { config: { snapshot: 'yes', sorce: 'primary', method: 'dmup' } }),
      [
        'commands[2].config.snapshot: expected true or false, found the text "yes"',
        'commands[2].config.method: expected one of "auto", "backup", "dump", "template", "empty", found the text "dmup"; did you mean "dump"?',
        'commands[2].config.sorce: unknown key; did you mean "source"?',
      ],
    ],
    [
      'a missing config value beside a bound one',
      (d) =>
        Object.assign(d.commands[4]!, { config: { capture: binding('commands.capture.output.artifact') } }),
      ['commands[4].config.where: is missing; expected text'],
    ],
    [
      'unknown keys of envelope and command',
      (d) => {
        Object.assign(d, { parametres: {} });
        Object.assign(d.commands[0]!, { type: 'X', retry: { attempt: 2 } });
      },
      [
        'parametres: unknown key; did you mean "parameters"?',
        'commands[0].type: unknown key; did you mean "command_type"?',
        'commands[0].retry.attempt: unknown key; did you mean "attempts"?',
      ],
    ],
    [
      'wrong kinds',
      (d) => {
        Object.assign(d, { timeout: 'soon', name: 7 });
        Object.assign(d.commands[0]!, {
          command_name: 'a b',
          parent_command_names: 'x',
          cleanup: 'no',
          timeout: -1,
        });
        d.commands.push('x' as never);
      },
      [
        'name: expected text, found 7',
        'timeout: expected a duration of at most 30 days, such as 90 (seconds), "5m" or "1h30m"; found the text "soon"',
        'commands[0].command_name: expected 1 to 120 letters, digits, "_", "." or "-"; found the text "a b"',
        'commands[0].parent_command_names: expected a list, found the text "x"',
        'commands[0].timeout: expected a duration of at most 30 days, such as 90 (seconds), "5m" or "1h30m"; found -1',
        'commands[0].cleanup: expected true or false, found the text "no"',
        'commands[6]: expected a command (an object with command_type and command_name), found the text "x"',
        'commands[3].parent_command_names[0]: there is no command "primary"',
      ],
    ],
    [
      'a binding to what is no ancestor',
      (d) =>
        Object.assign(d.commands[3]!, { config: { time_period: binding('commands.replay.output.seconds') } }),
      [
        'commands[3].config.time_period: commands.replay.output.seconds: "replay" is not an ancestor of "capture": it may not have run yet; add it to parent_command_names',
        'parameters.seconds: is never used: bind it with ${{ parameters.seconds }}, or remove it',
      ],
    ],
    [
      'a binding to an output field that the type does not have',
      (d) =>
        Object.assign(d.commands[4]!, {
          config: { capture: binding('commands.capture.output.artefact'), where: 'clone-1' },
        }),
      [
        'commands[4].config.capture: commands.capture.output.artefact: the output of CAPTURE_PRIMARY_WORKLOAD has no "artefact"; it has artifact, counts; did you mean "artifact"?',
      ],
    ],
    [
      'bindings to nothing',
      (d) =>
        Object.assign(d.commands[4]!, {
          config: {
            capture: `${binding('parameters.secnds')}${binding('commands.captrue.output')}${binding('commands["clone-1"].outputs')}`,
            where: binding('commands'),
            speed: binding('run.nme'),
          },
        }),
      [
        'commands[4].config.capture: parameters.secnds: there is no parameter "secnds"; did you mean "seconds"?',
        'commands[4].config.capture: commands.captrue.output: there is no command "captrue"; did you mean "capture"?',
        'commands[4].config.capture: commands["clone-1"].outputs: of a command there is state, output and error, not "outputs"; did you mean "output"?',
        'commands[4].config.where: commands: `commands` must be followed by a name: commands.clone_1, or commands["clone-1"]',
        'commands[4].config.speed: run.nme: of `run` there is `run.id` and `run.name`',
      ],
    ],
    [
      'syntax errors in expressions',
      (d) =>
        Object.assign(d.commands[4]!, {
          when: 'commands.capture.state = "X"',
          config: { capture: '${{ 1 +', where: 'clone-1' },
        }),
      [
        'commands[4].config.capture: a binding is opened with ${{ and not closed with }}',
        'commands[4].when: expected all_succeeded, all_done or an expression: Unexpected character: =',
      ],
    ],
    [
      'conditions that are none',
      (d) => {
        Object.assign(d.commands[2]!, { when: 'all_suceeded' });
        Object.assign(d.commands[3]!, { when: '1 + 1' });
        Object.assign(d.commands[5]!, { when: 'all_succeeded' });
      },
      [
        'commands[5].when: a clean-up command runs whatever happened: leave `when` out',
        'commands[2].when: expected all_succeeded, all_done or an expression: Unknown variable: all_suceeded; did you mean "all_succeeded"?',
        'commands[3].when: expected an expression that is true or false; this is of type int',
      ],
    ],
    [
      'expressions that could run away',
      (d) =>
        Object.assign(d.commands[4]!, {
          when: '"a".matches("(a+)+b") || [1].all(x, [1].all(y, x == y)) || cel.bind(x, 1, x == 1)',
        }),
      [
        'commands[4].when: "a".matches("(a+)+b") || [1].all(x, [1].all(y, x == y)) || cel.bind(x, 1, x == 1): `matches` is not available: use contains, startsWith or endsWith',
        'commands[4].when: "a".matches("(a+)+b") || [1].all(x, [1].all(y, x == y)) || cel.bind(x, 1, x == 1): `all` inside another loop is not allowed',
        'commands[4].when: "a".matches("(a+)+b") || [1].all(x, [1].all(y, x == y)) || cel.bind(x, 1, x == 1): `cel.bind` is not available',
      ],
    ],
    [
      'a config that names no command, the wrong type, no ancestor',
      (d) => {
        Object.assign(d.commands[4]!, { config: { capture: 'x', where: 'explorer' } });
        Object.assign(d.commands[5]!, { config: { launch_command: 'clone1' } });
        d.commands.push({
          command_type: 'STOP_EXPLORATORY_POSTGRES',
          command_name: 'stop2',
          parent_command_names: ['explorer'],
          config: { launch_command: 'clone-1' },
        });
      },
      [
        'commands[4].config.where: "explorer" is a LAUNCH_EXPLORATORY_WORKER; expected a command of type LAUNCH_EXPLORATORY_POSTGRES',
        'commands[5].config.launch_command: there is no command "clone1"; did you mean "clone-1"?',
        'commands[6].config.launch_command: "clone-1" is not an ancestor of "stop2": add it to parent_command_names',
      ],
    ],
    [
      'work that waits for a clean-up',
      (d) =>
        d.commands.push({
          command_type: 'LAUNCH_PRIMARY_WORKER',
          command_name: 'late',
          parent_command_names: ['stop'],
        }),
      [
        'commands[6].parent_command_names[0]: "stop" is a clean-up command, which also runs when all else is given up; only another clean-up command can wait for it',
      ],
    ],
    [
      'a concurrency key over outputs',
      (d) => Object.assign(d.commands[4]!, { concurrency_key: binding('commands.capture.state') }),
      [
        'commands[4].concurrency_key: commands.capture.state: a concurrency key can only read parameters and the run',
      ],
    ],
    [
      'parameters declared wrongly',
      (d) =>
        Object.assign(d.parameters, {
          type: 'integer',
          bad: { type: 'integer', default: 1.5 },
          odd: { typ: 'integer' },
          none: null,
          '1x': 1,
        }),
      [
        'parameters.type: is "integer" its type or its default? Write {type: integer}, or {type: string, default: integer}',
        'parameters.bad.default: expected a whole number, found 1.5',
        'parameters.odd.typ: unknown key; did you mean "type"?',
        'parameters.odd: needs a "type" or a "default"',
        'parameters.none: expected a default value, or an object with "type"; found nothing',
        'parameters.1x: expected a name of letters, digits, "_" and "-" that begins with a letter or "_"',
        'parameters.bad: is never used: bind it with ${{ parameters.bad }}, or remove it',
      ],
    ],
    [
      'a parameter whose value does not fit where it is bound',
      (d) => Object.assign(d.parameters, { seconds: 0 }),
      ['commands[3].config.time_period: expected at least 1, found 0'],
    ],
    ['no commands', (d) => Object.assign(d, { commands: [], parameters: {} }), [': has no commands']],
  ];

  for (const [name, change, expected] of cases) {
    it(name, () => expect(issuesAfter(change).sort()).toEqual([...expected].sort()));
  }

  it('all at once, each with its line', () => {
    const text = [
      'name: x',
      'commands:',
      '  - command_type: LAUNCH_PRIMARY_WORKR',
      '    command_name: w',
      '    parent_command_names:',
      '      - nobody',
      '  - command_type: CAPTURE_PRIMARY_WORKLOAD',
      '    command_name: c',
      '    parent_command_names: [w]',
      '    config:',
      '      time_period: 0',
    ].join('\n');
    expect(validateDag(text, types).issues.map(({ line, path }) => [line, path])).toEqual([
      [3, 'commands[0].command_type'],
      [6, 'commands[0].parent_command_names[0]'],
      [11, 'commands[1].config.time_period'],
    ]);
    const json =
      '[\n {"command_type": "LAUNCH_PRIMARY_WORKER",\n  "command_name": "w",\n  "parent_command_names": [\n "x",\n "y"]}]';
    expect(validateDag(json, types).issues.map(({ line, path }) => [line, path])).toEqual([
      [5, '[0].parent_command_names[0]'],
      [6, '[0].parent_command_names[1]'],
    ]);
  });
});

describe('parameters of a submission', () => {
  const document = () => {
    const draft = envelope();
    draft.parameters = { seconds: { type: 'integer' } };
    return draft;
  };

  it('are needed only when there is a submission', () => {
    expect(validateDag(document(), types).issues).toEqual([]);
    expect(said(validateDag(document(), types, { parameters: {} }).issues)).toEqual([
      'parameters.seconds: must be given: a whole number',
    ]);
  });

  it('are read as their type, and checked where they are bound', () => {
    expect(validateDag(document(), types, { parameters: { seconds: '30' } }).parameters).toEqual({
      seconds: 30,
    });
    expect(
      said(validateDag(document(), types, { parameters: { seconds: 'ten', secnds: 1 } }).issues),
    ).toEqual([
      'parameters.secnds: there is no such parameter; did you mean "seconds"?',
      'parameters.seconds: expected a whole number, found the text "ten"',
    ]);
    expect(said(validateDag(document(), types, { parameters: { seconds: 100_000 } }).issues)).toEqual([
      'commands[3].config.time_period: expected at most 86400, found 100000',
    ]);
  });

  it('give durations as seconds', () => {
    const draft = envelope();
    draft.parameters = { seconds: { type: 'duration', default: '1m30s' } };
    expect(validateDag(draft, types).parameters).toEqual({ seconds: 90 });
  });

  it('a target is asked for where it is required', () => {
    expect(said(validateDag(envelope(), types, { requireTarget: true }).issues)).toHaveLength(1);
    expect(validateDag(envelope(), types, { requireTarget: true, target: 'shop' }).dag?.target).toBe('shop');
  });
});
