import './workload.css';
import { Copy } from 'lucide-react';
import { useCallback, useMemo } from 'react';
import type { TemplateView, WorkloadSeries } from '../api/types.js';
import { toCsv } from '../lib/csv.js';
import { formatCount, formatDuration, formatFixed, formatTime, formatUtc } from '../lib/format.js';
import { useUrlState } from '../lib/hooks.js';
import { Button } from './button.js';
import { SearchBox } from './field.js';
import { Empty, Section } from './page.js';
import { callsIn, Sparkline } from './sparkline.js';
import type { Column } from './table.js';
import { type ChartSeries, TimeChart } from './time-chart.js';
import { useToast } from './toast.js';
import { Code, copy, Facts } from './values.js';
import { type Sort, VirtualTable } from './virtual-table.js';

interface WorkloadProps {
  series: WorkloadSeries;
  templates: readonly TemplateView[];
}

type Range = [number, number];

/** Rate and latency over the time of a capture, and its templates. The chosen range is part of the address. */
export function Workload({ series, templates }: WorkloadProps) {
  const [params, setParams] = useUrlState();
  const span = useMemo(() => spanOf(series), [series]);
  const [fromText, toText] = [params.get('from'), params.get('to')];
  const range = useMemo(() => rangeOf(fromText, toText, span), [fromText, toText, span]);
  const setRange = useCallback(
    (wanted: Range | undefined) => {
      const next = wanted && alignTo(span, bucketMs(series), wanted);
      setParams({ from: next && String(next[0]), to: next && String(next[1]) }, { push: true });
    },
    [setParams, span, series],
  );
  if (series.t.length === 0)
    return <Empty title="No statement was captured">The capture holds no event.</Empty>;
  return (
    <>
      <Charts series={series} span={span} range={range} onRange={setRange} />
      <Templates templates={templates} span={span} range={range} />
    </>
  );
}

interface ChartsProps {
  series: WorkloadSeries;
  span: Range;
  range: Range | undefined;
  onRange: (range: Range | undefined) => void;
}

function Charts({ series, span, range, onRange }: ChartsProps) {
  const toast = useToast();
  const seconds = bucketMs(series) / 1000;
  const rate = useMemo<ChartSeries[]>(
    () => [
      {
        label: 'Statements',
        color: '--series-1',
        values: series.count.map((count) => count / seconds),
        fill: true,
      },
    ],
    [series, seconds],
  );
  const latency = useMemo<ChartSeries[]>(
    () => [
      { label: 'p50', color: '--series-1', values: series.p50Ms },
      { label: 'p99', color: '--series-2', values: series.p99Ms, dashed: true },
    ],
    [series],
  );
  const csv = () =>
    toCsv(
      ['time', 'statements_per_second', 'p50_ms', 'p99_ms'],
      series.t.map((t, i) => [
        new Date(t).toISOString(),
        (series.count[i] ?? 0) / seconds,
        series.p50Ms[i],
        series.p99Ms[i],
      ]),
    );
  return (
    <Section
      title="Workload over time"
      about="Drag in a chart to choose a range; a double click takes it back."
      actions={
        <Button
          size="s"
          look="ghost"
          icon={<Copy />}
          onClick={() => void copy(csv()).then(() => toast.done('The series was copied as CSV.'))}
        >
          Copy CSV
        </Button>
      }
    >
      <div className="charts">
        <div>
          <h3>Rate (statements per second)</h3>
          <TimeChart
            label={`Statements per second from ${at(span[0])} to ${at(span[1])}`}
            unit="/s"
            t={series.t}
            series={rate}
            range={range}
            onRange={onRange}
            sync="workload"
          />
        </div>
        <div>
          <h3>Latency (ms, logarithmic)</h3>
          <TimeChart
            label={`Median and 99th percentile latency in milliseconds from ${at(span[0])} to ${at(span[1])}`}
            unit="ms"
            t={series.t}
            series={latency}
            log
            range={range}
            onRange={onRange}
            sync="workload"
          />
        </div>
      </div>
      <RangeBar series={series} span={span} range={range} onRange={onRange} />
    </Section>
  );
}

/** The same choice by keyboard, and what the chosen range holds. */
function RangeBar({ series, span, range, onRange }: ChartsProps) {
  const [from, to] = range ?? span;
  const step = bucketMs(series);
  const inside = series.t.flatMap((t, i) => (t + step > from && t < to ? [i] : []));
  const count = inside.reduce((sum, i) => sum + (series.count[i] ?? 0), 0);
  const p99 = Math.max(0, ...inside.map((i) => series.p99Ms[i] ?? 0));
  const set = (nextFrom: number, nextTo: number) =>
    onRange(nextFrom <= span[0] && nextTo >= span[1] ? undefined : [nextFrom, nextTo]);
  return (
    <div className="range">
      <label>
        From
        <input
          type="range"
          min={span[0]}
          max={span[1]}
          step={step}
          value={from}
          aria-valuetext={at(from)}
          onChange={(event) => set(Math.min(Number(event.target.value), to - step), to)}
        />
        <span title={formatUtc(new Date(from))}>{at(from)}</span>
      </label>
      <label>
        To
        <input
          type="range"
          min={span[0]}
          max={span[1]}
          step={step}
          value={to}
          aria-valuetext={at(to)}
          onChange={(event) => set(from, Math.max(Number(event.target.value), from + step))}
        />
        <span title={formatUtc(new Date(to))}>{at(to)}</span>
      </label>
      <span className="grow" role="status">
        {formatCount(count)} statements in {formatDuration(to - from)} · highest p99 {formatDuration(p99)}
      </span>
      {range && (
        <Button size="s" onClick={() => onRange(undefined)}>
          Whole capture
        </Button>
      )}
    </div>
  );
}

interface TemplatesProps {
  templates: readonly TemplateView[];
  span: Range;
  range: Range | undefined;
}

function Templates({ templates, span, range }: TemplatesProps) {
  const [params, setParams] = useUrlState();
  const toast = useToast();
  const search = (params.get('q') ?? '').toLowerCase();
  const sort = sortOf(params.get('sort'));
  const share = useMemo<[number, number] | undefined>(() => {
    if (!range) return undefined;
    const length = Math.max(1, span[1] - span[0]);
    return [(range[0] - span[0]) / length, (range[1] - span[0]) / length];
  }, [range, span]);
  const rows = useMemo(() => {
    const found = templates
      .filter((one) => !search || one.sql.toLowerCase().includes(search) || one.fingerprint.includes(search))
      .map((one) => ({ ...one, inRange: share ? callsIn(one.sparkline, share) : one.calls }));
    const sign = sort.descending ? -1 : 1;
    const key = sort.key as keyof TemplateView;
    return found
      .filter((one) => !share || one.inRange > 0)
      .sort((a, b) => {
        const [x, y] = [a[key], b[key]];
        return (
          sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)))
        );
      });
  }, [templates, search, share, sort.key, sort.descending]);
  const total = useMemo(() => templates.reduce((sum, one) => sum + one.totalMs, 0), [templates]);
  const columns = useMemo(() => templateColumns(share, total), [share, total]);
  const setSearch = useCallback((q: string) => setParams({ q }), [setParams]);
  const shown =
    rows.length === templates.length
      ? formatCount(rows.length)
      : `${formatCount(rows.length)} of ${formatCount(templates.length)}`;
  const csv = () =>
    toCsv(
      ['fingerprint', 'calls', 'errors', 'mean_ms', 'p50_ms', 'p95_ms', 'p99_ms', 'total_ms', 'sql'],
      rows.map((one) => [
        one.fingerprint,
        one.calls,
        one.errors,
        one.meanMs,
        one.p50Ms,
        one.p95Ms,
        one.p99Ms,
        one.totalMs,
        one.sql,
      ]),
    );
  return (
    <Section
      title="Templates"
      about={
        share
          ? `${shown} statements without their literals. Calls count the chosen range; latencies the whole capture.`
          : `${shown} statements without their literals, over the whole capture.`
      }
      actions={
        <>
          <SearchBox label="Search SQL" value={params.get('q') ?? ''} onChange={setSearch} />
          <Button
            size="s"
            look="ghost"
            icon={<Copy />}
            onClick={() => void copy(csv()).then(() => toast.done('The templates were copied as CSV.'))}
          >
            Copy CSV
          </Button>
        </>
      }
    >
      {rows.length === 0 ? (
        <Empty title="No template matches" />
      ) : (
        <VirtualTable
          label="Templates"
          columns={columns}
          rows={rows}
          rowKey={(one) => one.fingerprint}
          rowName={(one) => one.sql.slice(0, 60)}
          sort={sort}
          onSort={(next) => setParams({ sort: `${next.descending ? '-' : ''}${next.key}` })}
          expanded={(one) => (
            <>
              <Code label="SQL" text={one.sql} />
              <Facts
                columns
                items={[
                  ['Fingerprint', <code key="f">{one.fingerprint}</code>],
                  ['Calls in the capture', formatCount(one.calls)],
                  ['Mean', formatDuration(one.meanMs)],
                  ['p99', formatDuration(one.p99Ms)],
                  ['Total time', formatDuration(one.totalMs)],
                ]}
              />
            </>
          )}
        />
      )}
    </Section>
  );
}

type TemplateRow = TemplateView & { inRange: number };

function templateColumns(share: [number, number] | undefined, total: number): Column<TemplateRow>[] {
  const number = (
    key: keyof TemplateRow & string,
    header: string,
    width: string,
    decimals: number,
    hideBelow?: number,
  ): Column<TemplateRow> => ({
    key,
    header,
    align: 'end',
    width,
    sortable: true,
    ...(hideBelow && { hideBelow }),
    cell: (row) => formatFixed(row[key] as number, decimals),
  });
  return [
    {
      key: 'sql',
      header: 'SQL',
      width: 'minmax(0, 1fr)',
      sortable: true,
      cell: (row) => <code title={row.sql.slice(0, 400)}>{row.sql}</code>,
    },
    {
      key: 'sparkline',
      header: 'Calls over time',
      width: '6.5rem',
      hideBelow: 64,
      cell: (row) => (
        <Sparkline
          values={row.sparkline}
          label={`Calls over time, ${row.calls} in all`}
          {...(share && { range: share })}
        />
      ),
    },
    number('inRange', share ? 'Calls in range' : 'Calls', share ? '6.5rem' : '5rem', 0),
    number('errors', 'Errors', '4rem', 0, 64),
    number('p50Ms', 'p50 (ms)', '5.25rem', 2, 48),
    number('p95Ms', 'p95 (ms)', '5.25rem', 2, 64),
    number('p99Ms', 'p99 (ms)', '5.5rem', 2, 48),
    {
      key: 'totalMs',
      header: 'Time (%)',
      title: 'Share of the time of all templates',
      align: 'end',
      width: '4.75rem',
      sortable: true,
      cell: (row) => formatFixed(total > 0 ? (100 * row.totalMs) / total : 0, 1),
    },
  ];
}

function sortOf(text: string | null): Sort {
  if (!text) return { key: 'totalMs', descending: true };
  return text.startsWith('-') ? { key: text.slice(1), descending: true } : { key: text, descending: false };
}

const at = (ms: number): string => formatTime(new Date(ms), new Date());

function bucketMs(series: WorkloadSeries): number {
  const [first, second] = series.t;
  return first !== undefined && second !== undefined ? second - first : 1000;
}

/** Start of the first interval to the end of the last. */
function spanOf(series: WorkloadSeries): Range {
  const first = series.t[0] ?? 0;
  return [first, (series.t.at(-1) ?? first) + bucketMs(series)];
}

function rangeOf(fromText: string | null, toText: string | null, span: Range): Range | undefined {
  const from = Number(fromText ?? Number.NaN);
  const to = Number(toText ?? Number.NaN);
  if (!Number.isFinite(from) || !Number.isFinite(to) || from >= to) return undefined;
  const clipped: Range = [Math.max(span[0], from), Math.min(span[1], to)];
  return clipped[0] < clipped[1] ? clipped : undefined;
}

/** Whole intervals: what the series counts cannot be split further. */
function alignTo(span: Range, step: number, [from, to]: Range): Range {
  const start = span[0] + Math.floor((from - span[0]) / step) * step;
  const end = span[0] + Math.ceil((to - span[0]) / step) * step;
  return [Math.max(span[0], start), Math.min(span[1], Math.max(end, start + step))];
}
