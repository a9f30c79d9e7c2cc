// biome-ignore-all lint/suspicious/noTemplateCurlyInString: bindings of the DAG format
import { describe, expect, it } from 'vitest';
import { OttoError } from '../base/index.js';
import { type ExpressionScope, evaluateWhen, referencesOf, resolveConfig, resolveText } from './index.js';

const scope: ExpressionScope = {
  parameters: {
    seconds: 10,
    speed: 1.5,
    label: 'night',
    list: [1, 2, 3],
    nested: { a: { b: 'deep' } },
    none: null,
  },
  commands: {
    clone: { state: 'SUCCEEDED', output: { port: 5433, bytes: 12, constructor: 'own', 'odd key': true } },
    'a-b.c': { state: 'FAILED', output: null, error: { code: 'NO_SPACE', message: 'the disk is full' } },
  },
  run: { id: 'run_1', name: 'demo' },
};

function value(expression: string): unknown {
  return resolveConfig(`\${{ ${expression} }}`, scope);
}

function failure(run: () => unknown): OttoError {
  try {
    run();
  } catch (error) {
    if (error instanceof OttoError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

describe('resolveConfig', () => {
  it('keeps the type of a text that is one binding', () => {
    expect(value('commands.clone.output.port')).toBe(5433);
    expect(value('parameters.speed')).toBe(1.5);
    expect(value('parameters.list')).toEqual([1, 2, 3]);
    expect(value('parameters.nested')).toEqual({ a: { b: 'deep' } });
    expect(value('parameters.none')).toBeNull();
    expect(value('parameters.seconds > 5')).toBe(true);
  });

  it('writes bindings inside other text as text', () => {
    expect(resolveText('port ${{ commands.clone.output.port }} of ${{parameters.list}}!', scope)).toBe(
      'port 5433 of [1,2,3]!',
    );
    expect(resolveText('${{ parameters.label }}${{ parameters.none }}', scope)).toBe('nightnull');
  });

  it('walks lists and objects and leaves the rest alone', () => {
    const config = { a: [{ b: '${{ parameters.seconds }}' }, 1, null, 'plain $ {{ }}'], c: true };
    expect(resolveConfig(config, scope)).toEqual({ a: [{ b: 10 }, 1, null, 'plain $ {{ }}'], c: true });
    expect(config.a[0]).toEqual({ b: '${{ parameters.seconds }}' });
  });

  it('reaches names that are not identifiers', () => {
    expect(value('commands["a-b.c"].error.code')).toBe('NO_SPACE');
    expect(value("commands['clone'].output['odd key']")).toBe(true);
  });

  it('finds the end of a binding behind braces and quotes', () => {
    expect(value('{"a": {"b": parameters.seconds}}.a.b')).toBe(10);
    expect(value('"}} ${{"')).toBe('}} ${{');
    expect(value("'it\\'s }}'")).toBe("it's }}");
  });

  it('counts with whole and fractional numbers alike', () => {
    expect(value('parameters.seconds * parameters.speed')).toBe(15);
    expect(value('parameters.seconds * 60')).toBe(600);
    expect(value('parameters.speed + 1')).toBe(2.5);
    expect(value('7 / 2')).toBe(3);
    expect(value('7 / 2.0')).toBe(3.5);
    expect(value('[parameters.seconds, 2.5, "x"]')).toEqual([10, 2.5, 'x']);
    expect(value('parameters.list.map(x, x * 2)')).toEqual([2, 4, 6]);
  });

  it('has no prototypes', () => {
    expect(value('commands.clone.output.constructor')).toBe('own');
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(failure(() => value(`parameters.${name}`)).code).toBe('UNRESOLVED_BINDING');
      expect(failure(() => value(`commands["${name}"].output`)).code).toBe('UNRESOLVED_BINDING');
    }
    value('{"__proto__": {"polluted": 1}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('names every binding that has no value, with its path', () => {
    const error = failure(() =>
      resolveConfig(
        {
          a: ['${{ commands.clone.output.prt }}'],
          b: 'x${{ commands["a-b.c"].output.port }}',
          c: '${{ 1 + }}',
        },
        scope,
      ),
    );
    expect(error).toMatchObject({ code: 'UNRESOLVED_BINDING', where: 'a[0]' });
    expect(error.issues.map(({ path }) => path)).toEqual(['a[0]', 'b', 'c']);
    expect(error.message).toMatch(/^a\[0\]: commands\.clone\.output\.prt: No such key: prt \(and 2 more\)$/);
  });

  it('refuses results that JSON cannot write', () => {
    expect(failure(() => value('9007199254740993')).message).toMatch(/too large/);
    expect(failure(() => value('1.0 / 0.0')).message).toMatch(/not a number/);
    expect(failure(() => value('type(1)')).message).toMatch(/neither text/);
  });
});

describe('evaluateWhen', () => {
  it('judges states, outputs and parameters', () => {
    expect(
      evaluateWhen('commands.clone.state == "SUCCEEDED" && commands.clone.output.bytes > 10', scope),
    ).toBe(true);
    expect(evaluateWhen('${{ commands.clone.output.bytes > 12.5 }}', scope)).toBe(false);
    expect(evaluateWhen('has(commands.clone.output.lsn)', scope)).toBe(false);
    expect(evaluateWhen('commands["a-b.c"].error != null || false', scope)).toBe(true);
  });

  it('says what went wrong', () => {
    expect(failure(() => evaluateWhen('commands.clone.output.lsn == 1', scope))).toMatchObject({
      code: 'CONDITION_FAILED',
    });
    expect(failure(() => evaluateWhen('commands.clone.output.bytes', scope)).message).toMatch(
      /expected true or false, found 12/,
    );
    expect(failure(() => evaluateWhen('1 +', scope)).code).toBe('CONDITION_FAILED');
  });
});

describe('referencesOf', () => {
  const paths = (expression: string) =>
    referencesOf(expression)?.map(({ root, path, open }) => [root, ...path, ...(open ? ['…'] : [])]);

  it('finds what is read, wherever it stands', () => {
    expect(paths('commands.a.output.x[0].y + parameters.b')).toEqual([
      ['commands', 'a', 'output', 'x', 0, 'y'],
      ['parameters', 'b'],
    ]);
    expect(paths('commands["a-b"].state in [parameters.s, "X"] ? run.id : string(-parameters.n)')).toEqual([
      ['commands', 'a-b', 'state'],
      ['parameters', 's'],
      ['run', 'id'],
      ['parameters', 'n'],
    ]);
    expect(paths('commands.a.output[parameters.k].z')).toEqual([
      ['parameters', 'k'],
      ['commands', 'a', 'output', '…'],
    ]);
    expect(paths('commands.a.output.list.exists(commands, commands.x == parameters.p)')).toEqual([
      ['commands', 'a', 'output', 'list'],
      ['parameters', 'p'],
    ]);
    expect(paths('{"k": !(parameters.a && has(parameters.b.c))}')).toEqual([
      ['parameters', 'a'],
      ['parameters', 'b', 'c'],
    ]);
    expect(paths('a +')).toBeUndefined();
  });
});
