import type { JsonSchema } from '../api/types.js';
import { type Column, DataTable } from './table.js';
import { Code, json, None } from './values.js';

interface Property {
  name: string;
  type: string;
  needed: boolean;
  fallback: string | undefined;
  about: string;
}

/** The fields of an object schema as a table; any other schema as it stands. */
export function SchemaTable({ schema, label }: { schema: JsonSchema; label: string }) {
  const properties = propertiesOf(schema);
  if (!properties) return <Code label={label} text={json(schema)} />;
  if (properties.length === 0) return <p className="muted">No fields.</p>;
  const columns: Column<Property>[] = [
    {
      key: 'name',
      header: 'Field',
      cell: (one) => (
        <span>
          <code>{one.name}</code>
          {one.needed && <span className="muted"> needed</span>}
        </span>
      ),
    },
    { key: 'type', header: 'Type', cell: (one) => <code>{one.type}</code> },
    {
      key: 'default',
      header: 'Unless given',
      cell: (one) => (one.fallback === undefined ? <None /> : <code>{one.fallback}</code>),
    },
    { key: 'about', header: 'Meaning', cell: (one) => one.about || <None /> },
  ];
  return <DataTable label={label} columns={columns} rows={properties} rowKey={(one) => one.name} />;
}

function propertiesOf(schema: JsonSchema): Property[] | undefined {
  const parts = schema.properties ? [schema] : (schema.allOf ?? schema.anyOf ?? schema.oneOf ?? []);
  if (parts.length === 0) return schema.type === 'object' ? [] : undefined;
  if (parts.some((part) => !part.properties)) return undefined;
  const found = new Map<string, Property>();
  for (const part of parts) {
    for (const [name, property] of Object.entries(part.properties ?? {})) {
      if (found.has(name)) continue;
      found.set(name, {
        name,
        type: typeText(property),
        // A field that has a value of its own need not be written, whatever the schema of the result says.
        needed: property.default === undefined && (part.required ?? []).includes(name),
        fallback: property.default === undefined ? undefined : JSON.stringify(property.default),
        about: [property.description, limits(property)].filter(Boolean).join(' · '),
      });
    }
  }
  return [...found.values()];
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(typeText))].join(' | ');
  if (schema.type === 'array') {
    return `${typeof schema.items === 'object' ? typeText(schema.items) : 'any'}[]`;
  }
  if (schema.type === 'object' && schema.properties)
    return `{ ${Object.keys(schema.properties).join(', ')} }`;
  return Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any');
}

function limits(schema: JsonSchema): string {
  // The largest safe integer is how a schema says "an integer", not a limit that anyone meets.
  const meant = (value: number | undefined) =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  return [
    meant(schema.minimum) && `at least ${schema.minimum}`,
    meant(schema.exclusiveMinimum) && `more than ${schema.exclusiveMinimum}`,
    meant(schema.maximum) && `at most ${schema.maximum}`,
    meant(schema.exclusiveMaximum) && `less than ${schema.exclusiveMaximum}`,
  ]
    .filter(Boolean)
    .join(', ');
}
