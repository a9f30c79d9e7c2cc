import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parametersOfContext, parametersOfDetail, readParameters } from './parameters.js';

const list = (values: (string | null)[]) =>
  values
    .map((value, i) => `$${i + 1} = ${value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`}`)
    .join(', ');

const value = fc.option(
  fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("'", ', $2 = ', 'NULL', '\n', '\\', '$1', 'x') })),
);
const values = fc.array(value, { minLength: 1, maxLength: 12 });

describe('parameter lists', () => {
  it('come back as they were, whatever the values hold', () => {
    fc.assert(
      fc.property(values, fc.constantFrom('Parameters', 'parameters'), (expected, word) => {
        expect(parametersOfDetail(`${word}: ${list(expected)}`)).toEqual(expected);
      }),
    );
  });

  it('are never more than the text holds', () => {
    fc.assert(
      fc.property(values, fc.nat(), (expected, at) => {
        const text = list(expected);
        const cut = readParameters(text.slice(0, at % text.length))?.values ?? [];
        // Cut between two quotes that stand for one, a value reads as ended there.
        expect(
          expected.slice(0, cut.length).every((value, i) => value === cut[i] || value?.startsWith(cut[i]!)),
        ).toBe(true);
        expect(cut.slice(0, -1)).toEqual(expected.slice(0, Math.max(0, cut.length - 1)));
      }),
    );
  });

  it('are found in the context of an error, among other lines', () => {
    fc.assert(
      fc.property(values, (expected) => {
        const context = `PL/pgSQL function f() line 1\nportal "a b" with parameters: ${list(expected)}\nmore`;
        expect(parametersOfContext(context, 'select $1, $2')).toEqual(expected);
      }),
    );
  });

  it('are known from a refused parameter only where it is the only one', () => {
    const context = "unnamed portal parameter $1 = 'zz'";
    expect(parametersOfContext(context, 'select $1::int')).toEqual(['zz']);
    expect(parametersOfContext(context, 'select $1::int, $2::int')).toBeUndefined();
    expect(parametersOfContext("unnamed portal parameter $2 = 'zz'", 'select $1, $2')).toBeUndefined();
    expect(parametersOfContext('SQL function "f" statement 1', 'select $1')).toBeUndefined();
  });

  it('are not read from other details', () => {
    expect(parametersOfDetail('Key (a)=(1) already exists.')).toBeUndefined();
    expect(parametersOfDetail('prepare: prepare p as select $1')).toBeUndefined();
  });
});
