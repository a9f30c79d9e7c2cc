import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { Link, useParams } from 'react-router';
import { API } from '../../api/client.js';
import { captureQuery } from '../../api/queries.js';
import type { CaptureView, JsonValue } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { OriginLink, TargetLink } from '../../components/links.js';
import { Loaded, Page, Section } from '../../components/page.js';
import { StatusIcon } from '../../components/status.js';
import { Code, Facts, json, Time } from '../../components/values.js';
import { Workload } from '../../components/workload.js';
import { formatBytes, formatCount, formatDuration, formatTime } from '../../lib/format.js';

export function CapturePage() {
  const { id = '' } = useParams();
  const capture = useQuery(captureQuery(id));
  const data = capture.data;
  return (
    <Page
      title={data ? `Capture of ${formatTime(new Date(data.artifact.createdAt), new Date())}` : 'Capture'}
      crumbs={[{ text: 'Captures', to: '/captures' }]}
      about="What was recorded, what was lost, and what the server was asked."
      actions={
        data && (
          <>
            <Button asChild>
              <Link to={`/artifacts/${id}`}>Artifact</Link>
            </Button>
            <Button asChild>
              <a href={`${API}/artifacts/${encodeURIComponent(id)}/content`} download>
                <Download aria-hidden="true" />
                Download Parquet
              </a>
            </Button>
          </>
        )
      }
    >
      <Loaded of={capture} rows={8} what="The capture could not be read.">
        {(loaded) => <Capture capture={loaded} />}
      </Loaded>
    </Page>
  );
}

function Capture({ capture }: { capture: CaptureView }) {
  const { artifact, manifest, series, templates } = capture;
  const counts = recordOf(manifest.counts);
  return (
    <>
      <Facts
        columns
        items={[
          ['Target', artifact.targetId ? <TargetLink key="t" id={artifact.targetId} /> : undefined],
          [
            'Made by',
            artifact.runId ? (
              <OriginLink key="o" runId={artifact.runId} command={artifact.command} />
            ) : undefined,
          ],
          ['Began', timeOf(manifest.startedAt)],
          [
            'Lasted',
            typeof manifest.seconds === 'number' ? formatDuration(manifest.seconds * 1000) : undefined,
          ],
          [
            'Method',
            typeof manifest.method === 'string' ? (
              <span key="m" title={text(manifest.why)}>
                {manifest.method}
              </span>
            ) : undefined,
          ],
          ...Object.entries(counts).map(
            ([name, value]) =>
              [capitalised(name), typeof value === 'number' ? formatCount(value) : text(value)] as [
                string,
                string,
              ],
          ),
          ['Size', formatBytes(artifact.bytes)],
        ]}
      />
      <Lost lost={manifest.lost} />
      <Workload series={series} templates={templates} />
      <Section title="Manifest" about="What the capture says of itself, as it is stored." padded>
        <Code label="Manifest" text={json(manifest)} />
      </Section>
    </>
  );
}

/** Nothing lost is worth saying, too. */
function Lost({ lost }: { lost: JsonValue | undefined }) {
  const items = Array.isArray(lost) ? lost.map(recordOf) : [];
  const some = items.filter((item) => item.count !== 0);
  if (some.length === 0) {
    return (
      <p className="row">
        <StatusIcon state="SUCCEEDED" />{' '}
        {Array.isArray(lost) ? 'Nothing was lost.' : 'The capture does not say what was lost.'}
      </p>
    );
  }
  return (
    <Section title="What was lost" padded>
      <ul className="stack-s">
        {some.map((item) => (
          <li key={text(item.what)} className="row">
            <StatusIcon state="INTENDED" />
            <span>
              {typeof item.count === 'number' && `${formatCount(item.count)} × `}
              {text(item.what)}
              <span className="cell-sub">{text(item.why)}</span>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const recordOf = (value: JsonValue | undefined): Record<string, JsonValue> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};

const text = (value: JsonValue | undefined): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

const capitalised = (name: string): string => {
  const spaced = name.replace(/([A-Z])/g, ' $1').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

const timeOf = (value: JsonValue | undefined) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? <Time at={value} /> : undefined;
