import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { collectorsQuery, commandTypesQuery } from '../../api/queries.js';
import type { CollectorView, CommandTypeView } from '../../api/types.js';
import { SearchBox } from '../../components/field.js';
import { Empty, Loaded } from '../../components/page.js';
import { SchemaTable } from '../../components/schema-table.js';
import { Badge } from '../../components/values.js';
import { formatDuration } from '../../lib/format.js';

const binding = (what: string): string => `\${{ ${what} }}`;

/** Every command type and collector with its schema. */
export function Reference({ open }: { open: boolean }) {
  const types = useQuery(commandTypesQuery());
  const collectors = useQuery(collectorsQuery());
  const [search, setSearch] = useState('');
  const id = useId();
  const matches = (one: { type: string; summary: string }) =>
    `${one.type} ${one.summary}`.toLowerCase().includes(search.toLowerCase());
  return (
    <section className="section section-card" aria-labelledby={id}>
      <div className="section-head">
        <div className="grow">
          <h2 id={id}>Reference</h2>
          <p className="section-about">
            What a command may be. Bindings: <code>{binding('parameters.NAME')}</code>,{' '}
            <code>{binding('commands.NAME.output.FIELD')}</code>
          </p>
        </div>
        <SearchBox label="Search types" value={search} onChange={setSearch} />
      </div>
      <details className="reference" open={open}>
        <summary>Command types</summary>
        <Loaded of={types}>
          {(items) => {
            const found = items.filter(matches);
            return found.length === 0 ? (
              <Empty title="No command type matches" command="otto dag types" />
            ) : (
              <ul>
                {found.map((type) => (
                  <CommandTypeItem key={type.type} type={type} />
                ))}
              </ul>
            );
          }}
        </Loaded>
      </details>
      <details className="reference">
        <summary>Data collectors, for COLLECT_DATA_FROM_EXPLORATORY</summary>
        <Loaded of={collectors}>
          {(items) => {
            const found = items.filter(matches);
            return found.length === 0 ? (
              <Empty title="No collector matches" command="otto dag types" />
            ) : (
              <ul>
                {found.map((collector) => (
                  <CollectorItem key={collector.type} collector={collector} />
                ))}
              </ul>
            );
          }}
        </Loaded>
      </details>
    </section>
  );
}

function CommandTypeItem({ type }: { type: CommandTypeView }) {
  return (
    <li>
      <details>
        <summary>
          <code>{type.type}</code> <span className="muted">{type.summary}</span>
        </summary>
        <div className="stack-s">
          <p className="row row-wrap">
            {type.place && <Badge title="Where it is carried out">{type.place}</Badge>}
            {type.defaultTimeoutMs !== undefined && (
              <Badge title="Limit of one attempt, unless the DAG gives another">
                {formatDuration(type.defaultTimeoutMs)} at most
              </Badge>
            )}
          </p>
          <h3 className="panel-title">Config</h3>
          <SchemaTable schema={type.configSchema} label={`Config of ${type.type}`} />
          {type.outputSchema && (
            <>
              <h3 className="panel-title">Output</h3>
              <SchemaTable schema={type.outputSchema} label={`Output of ${type.type}`} />
            </>
          )}
        </div>
      </details>
    </li>
  );
}

function CollectorItem({ collector }: { collector: CollectorView }) {
  return (
    <li>
      <details>
        <summary>
          <code>{collector.type}</code> <span className="muted">{collector.summary}</span>
        </summary>
        <SchemaTable schema={collector.configSchema} label={`Config of ${collector.type}`} />
      </details>
    </li>
  );
}
