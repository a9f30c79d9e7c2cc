// biome-ignore-all lint/suspicious/noTemplateCurlyInString: bindings of the DAG format
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DagIssue, validateDag } from './index.js';
import { envelope } from './testing/envelope.js';
import { stubTypes } from './testing/stub-types.js';

const types = stubTypes();

function said(issues: DagIssue[]): string[] {
  return issues.map(({ path, message }) => `${path}: ${message}`);
}

describe('hostile input', () => {
  const refuse = (document: unknown, message: RegExp) => {
    const { dag, issues } = validateDag(document, types);
    expect(dag).toBeUndefined();
    expect(issues[0]?.message).toMatch(message);
  };

  it('deep nesting is refused before anything recurses', () => {
    refuse('['.repeat(5_000_000), /nested deeper/);
    refuse(`${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}`, /nested deeper/);
    refuse('- '.repeat(1_000_000), /nested deeper/);
    refuse('? '.repeat(1_000_000), /nested deeper/);
    refuse('{a: '.repeat(500_000), /nested deeper/);
    refuse('{"a":'.repeat(500_000), /nested deeper/);
    refuse(Array.from({ length: 1_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested deeper/);
  });

  it('alias bombs, and too many aliases', () => {
    const bomb = [...'bcdefghi'].map(
      (c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`,
    );
    refuse(`a: &a [x,x,x,x,x,x,x,x,x]\n${bomb.join('\n')}`, /aliases/);
    refuse(`a: &a 1\nb: [${Array(2_000).fill('*a').join(',')}]`, /more than 1000 aliases/);
    refuse('a: &a [*a]', /nested deeper|aliases/);
  });

  it('size', () => {
    refuse(`"${'x'.repeat(6_000_000)}"`, /larger than 5 MB/);
    refuse(`[${'1,'.repeat(2_000_000)}1]`, /too long/);
    refuse(`${Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n')}`, /unknown key|is missing/);
    refuse(
      Array.from({ length: 10_001 }, () => ({})),
      /has 10001 commands/,
    );
    refuse(Array(2 ** 32 - 1), /too long/);
  });

  it('text that is not a document', () => {
    refuse('', /empty/);
    refuse('a: 1\n---\nb: 2', /several YAML documents/);
    refuse('a: [1', /cannot be read as JSON or YAML/);
    refuse('{"a": 1, "a": 2}', /written twice/);
    refuse('a: 1\na: 2', /written twice/);
    refuse('a: !!js/function "x"', /Unresolved tag/);
    refuse('hello', /expected a list of commands/);
    refuse('{"__proto__": {"x": 1}}', /not allowed as a key/);
    refuse('[{"command_name": "a\\u0000"}]', /NUL/);
    refuse('["\\ud800"]', /surrogate/);
  });

  it('values that are not JSON', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    refuse(cyclic, /nested deeper/);
    refuse(
      {
        get commands() {
          throw new Error('no');
        },
      },
      /cannot be read/,
    );
    refuse([new Date()], /another kind/);
    refuse([Number.NaN], /not a number/);
    refuse([() => 1], /a function/);
    refuse(undefined, /expected a JSON value, found an undefined/);
  });

  it('types of a user’s module that throw do no harm', async () => {
    const { z } = await import('zod');
    const { CommandTypes } = await import('./index.js');
    const own = new CommandTypes([
      {
        type: 'OWN',
        summary: '',
        place: 'control',
        config: z.any().refine(() => {
          throw new Error('their bug');
        }),
        output: z.custom(),
        defaultTimeoutMs: 1,
        onWorkerLost: 'fail',
        references: () => {
          throw new Error('another');
        },
      },
    ]);
    const { issues } = validateDag(
      [{ command_type: 'OWN', command_name: 'a', parent_command_names: [] }],
      own,
    );
    expect(said(issues)).toEqual(['[0].config: OWN cannot check it: their bug']);
  });
});

describe('for any input', () => {
  const sound = (document: unknown) => {
    const { dag, issues } = validateDag(document, types);
    expect(dag === undefined).toBe(issues.length > 0);
  };

  it('arbitrary JSON', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), sound), { numRuns: 500 });
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true }),
        sound,
      ),
      {
        numRuns: 500,
      },
    );
  });

  it('arbitrary text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 400, unit: 'binary' }), sound), { numRuns: 500 });
    const syllable = fc.constantFrom(
      ...[
        '- ',
        ': ',
        '\n',
        '  ',
        '[',
        ']',
        '{',
        '}',
        '&a ',
        '*a',
        '? ',
        '|\n',
        '>',
        '"',
        "'",
        '#',
        '!!map',
        '---\n',
        'commands',
        'name',
        ',',
        '${{',
        '}}',
        '%YAML',
      ],
    );
    fc.assert(
      fc.property(
        fc.array(syllable, { maxLength: 60 }).map((parts) => parts.join('')),
        sound,
      ),
      { numRuns: 1500 },
    );
  });

  it('a valid document with anything put anywhere', () => {
    const anywhere = fc.array(fc.nat(30), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        anywhere,
        fc.oneof(fc.jsonValue(), fc.constant(undefined), expressionText()),
        (way, value) => {
          const document = envelope();
          put(document, way, value);
          sound(document);
          sound(JSON.stringify(document));
        },
      ),
      { numRuns: 700 },
    );
  });

  it('arbitrary expressions', () => {
    fc.assert(
      fc.property(expressionText(), (text) => {
        const document = envelope();
        Object.assign(document.commands[4]!, { when: text });
        Object.assign(document.commands[3]!, { config: { time_period: `\${{ ${text} }}` } });
        sound(document);
      }),
      { numRuns: 500 },
    );
  });
});

function expressionText(): fc.Arbitrary<string> {
  const token = fc.constantFrom(
    ...[
      'parameters',
      'commands',
      'run',
      '.',
      'seconds',
      'capture',
      'output',
      '[',
      ']',
      '"clone-1"',
      '(',
      ')',
      '1',
      '1.5',
      ' + ',
      ' && ',
      '!',
      'has',
      'x',
      '.map(x, ',
      '.matches(',
      '{',
      '}',
      ':',
      ',',
      "'",
      '${{',
      '}}',
      '__proto__',
      'constructor',
      ' in ',
      '?',
      'size',
    ],
  );
  return fc.array(token, { maxLength: 14 }).map((parts) => parts.join(''));
}

/** Puts `value` at a place that the numbers choose. */
function put(root: unknown, way: number[], value: unknown): void {
  let at = root as Record<string, unknown>;
  const copy = structuredClone(value);
  for (const [depth, choice] of way.entries()) {
    const keys = Object.keys(at);
    const key = keys[choice % Math.max(1, keys.length)] ?? 'new';
    const next = at[key];
    if (depth === way.length - 1 || typeof next !== 'object' || next === null) {
      at[key] = copy;
      return;
    }
    at = next as Record<string, unknown>;
  }
}

describe('size and speed', () => {
  const chain = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      command_type: 'CAPTURE_PRIMARY_WORKLOAD',
      command_name: `c${i}`,
      parent_command_names: i === 0 ? [] : [`c${i - 1}`],
      config: { time_period: i === 0 ? 1 : `\${{ commands.c${i - 1}.output.counts.events }}` },
    }));

  it('10,000 commands in a chain, each bound to the last', () => {
    const began = process.cpuUsage();
    const { dag, issues } = validateDag(JSON.stringify(chain(10_000)), types);
    expect(issues).toEqual([]);
    expect(dag?.commands).toHaveLength(10_000);
    // About 0.3 s of CPU; anything quadratic takes far longer than the limit.
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(8_000);
  });

  it('a cycle of 10,000, and 10,000 mistakes', () => {
    const cycle = chain(10_000);
    cycle[0]!.parent_command_names = ['c9999'];
    expect(validateDag(cycle, types).issues[0]?.message).toMatch(
      /^is part of a cycle: c0 → c1 → .* → c9999 → c0$/,
    );
    const wrong = chain(10_000).map((command) => ({
      ...command,
      command_type: 'CAPTRUE',
      parent_command_names: ['nobody'],
    }));
    expect(validateDag(JSON.stringify(wrong), types).issues.length).toBeGreaterThan(20_000);
  });
});
