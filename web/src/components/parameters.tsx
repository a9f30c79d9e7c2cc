import type { DagParameter, JsonValue } from '../api/types.js';
import { Field } from './field.js';

type Values = Record<string, JsonValue>;
type Texts = Record<string, string>;

interface ParameterFieldsProps {
  parameters: readonly DagParameter[];
  /** Values that hold unless others are typed. */
  given?: Values;
  texts: Texts;
  onChange: (name: string, text: string) => void;
}

/** One control for each parameter of a DAG, by its type. */
export function ParameterFields({ parameters, given = {}, texts, onChange }: ParameterFieldsProps) {
  if (parameters.length === 0) return null;
  return (
    <div className="stack">
      {parameters.map((parameter) => (
        <ParameterField
          key={parameter.name}
          parameter={parameter}
          value={texts[parameter.name] ?? asText(given[parameter.name] ?? parameter.default)}
          onChange={(text) => onChange(parameter.name, text)}
        />
      ))}
    </div>
  );
}

interface ParameterFieldProps {
  parameter: DagParameter;
  value: string;
  onChange: (text: string) => void;
}

function ParameterField({ parameter, value, onChange }: ParameterFieldProps) {
  const id = `parameter-${parameter.name}`;
  const error = parameterError(parameter, value);
  const common = { id, 'aria-describedby': `${id}-note`, 'aria-invalid': error !== undefined };
  const needed = parameter.default === undefined ? ' (needed)' : '';
  const hint = [parameter.description, typeHint(parameter)].filter(Boolean).join(' · ');
  return (
    <Field id={id} label={`${parameter.name}${needed}`} hint={hint} error={error}>
      {parameter.type === 'boolean' ? (
        <select {...common} value={value} onChange={(event) => onChange(event.target.value)}>
          {value === '' && <option value="">not given</option>}
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      ) : parameter.type === 'object' || parameter.type === 'array' ? (
        <textarea
          {...common}
          className="mono"
          rows={3}
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <input
          {...common}
          inputMode={parameter.type === 'integer' || parameter.type === 'number' ? 'decimal' : 'text'}
          autoComplete="off"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function typeHint(parameter: DagParameter): string {
  const fallback = parameter.default === undefined ? '' : `, ${asText(parameter.default)} unless given`;
  const type = parameter.type === 'duration' ? 'duration, such as 30s or 5m' : parameter.type;
  return `${type}${fallback}`;
}

const asText = (value: JsonValue | undefined): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/** What is wrong with a typed value, before the server is asked. */
function parameterError(parameter: DagParameter, text: string): string | undefined {
  if (text.trim() === '') return undefined;
  if (parameter.type === 'integer' && !/^[+-]?\d+$/.test(text.trim())) return 'A whole number is needed.';
  if (parameter.type === 'number' && !Number.isFinite(Number(text))) return 'A number is needed.';
  if (parameter.type === 'object' || parameter.type === 'array') {
    try {
      const value: unknown = JSON.parse(text);
      if (Array.isArray(value) !== (parameter.type === 'array')) return `A JSON ${parameter.type} is needed.`;
    } catch {
      return `A JSON ${parameter.type} is needed.`;
    }
  }
  return undefined;
}

/** Typed texts as values. What cannot be read stays text, for the server to name the error. */
export function readParameters(parameters: readonly DagParameter[], texts: Texts): Values {
  const values: Values = {};
  for (const parameter of parameters) {
    const text = texts[parameter.name];
    if (text === undefined || (text.trim() === '' && parameter.type !== 'string')) continue;
    values[parameter.name] = parameterError(parameter, text) ? text : readOne(parameter, text);
  }
  return values;
}

function readOne(parameter: DagParameter, text: string): JsonValue {
  switch (parameter.type) {
    case 'integer':
    case 'number':
      return Number(text);
    case 'boolean':
      return text === 'true';
    case 'object':
    case 'array':
      return JSON.parse(text) as JsonValue;
    default:
      return text;
  }
}
