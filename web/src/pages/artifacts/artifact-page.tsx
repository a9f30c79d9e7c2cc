import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Download, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { API, path, remove } from '../../api/client.js';
import { artifactQuery, rowsQuery } from '../../api/queries.js';
import type { ArtifactView, JsonValue } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Confirm } from '../../components/dialog.js';
import { OriginLink, TargetLink } from '../../components/links.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import type { Column } from '../../components/table.js';
import { useToast } from '../../components/toast.js';
import { Code, CopyButton, Facts, Id, json, None, Time } from '../../components/values.js';
import { VirtualTable } from '../../components/virtual-table.js';
import { formatBytes, formatCount } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';

const PAGE = 200;

export function ArtifactPage() {
  const { id = '' } = useParams();
  const artifact = useQuery(artifactQuery(id));
  const data = artifact.data;
  return (
    <Page
      title={data?.name ?? 'Artifact'}
      crumbs={[{ text: 'Artifacts', to: '/artifacts' }]}
      about="One collected file: where it came from, what it says of itself, and its first rows."
      actions={data && <Actions artifact={data} />}
    >
      <Loaded of={artifact} what="The artifact could not be read.">
        {(loaded) => (
          <>
            <Facts
              columns
              items={[
                ['Kind', loaded.kind],
                ['Target', loaded.targetId ? <TargetLink key="t" id={loaded.targetId} /> : undefined],
                [
                  'Made by',
                  loaded.runId ? (
                    <OriginLink key="o" runId={loaded.runId} command={loaded.command} />
                  ) : undefined,
                ],
                ['Made', <Time key="c" at={loaded.createdAt} />],
                ['Kept until', loaded.expiresAt ? <Time key="e" at={loaded.expiresAt} /> : 'deleted by hand'],
                ['Format', loaded.format],
                ['Size', formatBytes(loaded.bytes)],
                ['Rows', loaded.rows === undefined ? undefined : formatCount(loaded.rows)],
                ['Id', <Id key="i" id={loaded.id} />],
                [
                  'SHA-256',
                  <span key="s" className="row">
                    <code title={loaded.sha256}>{loaded.sha256.slice(0, 12)}…</code>
                    <CopyButton text={loaded.sha256} label="Copy SHA-256" />
                  </span>,
                ],
              ]}
            />
            <Rows artifact={loaded} />
            <Section title="Manifest" about="What the file says of itself, as it is stored." padded>
              <Code label="Manifest" text={json(loaded.manifest)} />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ artifact }: { artifact: ArtifactView }) {
  const [deleting, setDeleting] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  return (
    <>
      {artifact.kind === 'workload' && (
        <Button asChild>
          <Link to={`/captures/${artifact.id}`}>Open as a capture</Link>
        </Button>
      )}
      <Button asChild>
        <a href={`${API}/artifacts/${encodeURIComponent(artifact.id)}/content`} download>
          <Download aria-hidden="true" />
          Download
        </a>
      </Button>
      <Button needs="admin" icon={<Trash2 />} onClick={() => setDeleting(true)}>
        Delete
      </Button>
      <Confirm
        open={deleting}
        onOpenChange={setDeleting}
        title={`Delete ${artifact.name}`}
        action={`Delete ${artifact.name}`}
        danger
        typed={artifact.name}
        onConfirm={async () => {
          await remove(path('artifacts', artifact.id));
          void queries.invalidateQueries({ queryKey: ['artifacts', 'list'] });
          toast.done(`${artifact.name} was deleted.`);
          await navigate('/artifacts');
        }}
      >
        <p>
          The file of {formatBytes(artifact.bytes)}
          {artifact.rows !== undefined && ` with ${formatCount(artifact.rows)} rows`} is deleted from the
          artifact store. It cannot be brought back; replays and reports that read it will fail. The run that
          made it stays.
        </p>
      </Confirm>
    </>
  );
}

type Row = Record<string, JsonValue> & { '#': number };

function Rows({ artifact }: { artifact: ArtifactView }) {
  const [params, setParams] = useUrlState();
  const offset = Math.max(0, Number(params.get('offset') ?? 0) || 0);
  const rows = useQuery(rowsQuery(artifact.id, offset, PAGE));
  const total = rows.data?.total ?? 0;
  const go = (next: number) => setParams({ offset: next > 0 ? String(next) : undefined }, { push: true });
  return (
    <Section
      title="Rows"
      about={
        total > 0 &&
        `${formatCount(offset + 1)} to ${formatCount(Math.min(offset + PAGE, total))} of ${formatCount(total)}`
      }
      actions={
        total > PAGE && (
          <>
            <Button
              size="s"
              blocked={offset === 0 ? 'These are the first rows.' : undefined}
              onClick={() => go(offset - PAGE)}
            >
              Previous
            </Button>
            <Button
              size="s"
              blocked={offset + PAGE >= total ? 'These are the last rows.' : undefined}
              onClick={() => go(offset + PAGE)}
            >
              Next
            </Button>
          </>
        )
      }
    >
      <Loaded of={rows} what="The rows could not be read.">
        {({ columns, items }) => {
          if (items.length === 0) return <Empty title="The artifact has no rows" />;
          const table: Column<Row>[] = columns.map((column) => ({
            key: column.name,
            header: column.name,
            title: column.type,
            // A moment that is cut off within its minute says nothing.
            width: /TIMESTAMP/i.test(column.type) ? '13.5rem' : 'minmax(8rem, 18rem)',
            ...(/INT|DOUBLE|FLOAT|DECIMAL|number/i.test(column.type) && { align: 'end' as const }),
            cell: (row) => cellOf(row[column.name]),
          }));
          return (
            <div className="rows-wide" style={{ '--columns': columns.length } as React.CSSProperties}>
              <VirtualTable
                label="Rows"
                columns={table}
                rows={items.map((item, index) => ({ ...item, '#': offset + index }) as Row)}
                rowKey={(row) => String(row['#'])}
                rowName={(row) => `row ${row['#'] + 1}`}
                rowHeight={32}
                expanded={({ '#': _, ...row }) => <Code label="Row" text={json(row)} />}
              />
            </div>
          );
        }}
      </Loaded>
    </Section>
  );
}

function cellOf(value: JsonValue | undefined) {
  if (value === undefined || value === null) return <None />;
  const text =
    typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return <span title={text.slice(0, 400)}>{text.slice(0, 400)}</span>;
}
