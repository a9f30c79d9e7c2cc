import 'uplot/dist/uPlot.min.css';
import './time-chart.css';
import { useEffect, useMemo, useRef } from 'react';
import UPlot from 'uplot';
import { formatNumber } from '../lib/format.js';
import { useResolvedTheme } from '../theme/theme.js';

export interface ChartSeries {
  label: string;
  /** A name of a colour in the tokens. */
  color: string;
  values: readonly (number | null)[];
  fill?: boolean;
  dashed?: boolean;
}

interface TimeChartProps {
  label: string;
  unit: string;
  /** ms since the epoch. */
  t: readonly number[];
  series: readonly ChartSeries[];
  range: readonly [number, number] | undefined;
  onRange: (range: [number, number] | undefined) => void;
  height?: number;
  /** A logarithmic scale, for values that differ by orders of magnitude. */
  log?: boolean;
  /** Charts with the same key share their cursor. */
  sync: string;
}

/** A time series; dragging chooses a range, a double click gives it back. */
export function TimeChart({
  label,
  unit,
  t,
  series,
  range,
  onRange,
  height = 170,
  log = false,
  sync,
}: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const shown = useRef(range);
  const tell = useRef(onRange);
  tell.current = onRange;
  const theme = useResolvedTheme();
  const data = useMemo<UPlot.AlignedData>(
    () => [
      t.map((ms) => ms / 1000),
      ...series.map((one) => one.values.map((value) => (log && value !== null && value <= 0 ? null : value))),
    ],
    [t, series, log],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of theme draws with other colours
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const color = colorsOf(element);
    const axis = {
      stroke: color('--text-2'),
      grid: { stroke: color('--border'), width: 1 },
      ticks: { show: false },
      font: `11px ${getComputedStyle(element).fontFamily}`,
    };
    const chart = new UPlot(
      {
        width: element.clientWidth || 600,
        height,
        padding: [10, 12, 0, 0],
        cursor: {
          // The other chart follows the pointer only: a range is told once, by the chart that it was drawn in.
          sync: {
            key: sync,
            setSeries: false,
            filters: { pub: (type) => type.startsWith('mousem') || type === 'mouseleave', sub: () => true },
          },
          drag: { x: true, y: false, setScale: false },
          bind: {
            dblclick: () => () => {
              tell.current(undefined);
              return null;
            },
          },
        },
        legend: { live: true },
        scales: {
          x: { time: true },
          y: log ? { distr: 3 } : { range: (_, __, max) => [0, (max || 1) * 1.08] },
        },
        axes: [
          {
            ...axis,
            space: 70,
            size: 28,
            values: (_, splits, __, ___, step) => splits.map((at) => tick(at, step)),
          },
          {
            ...axis,
            // A logarithmic axis has lines between its numbers: only the powers of ten are drawn.
            grid: log ? { ...axis.grid, filter: (_, splits) => splits.map(power) } : axis.grid,
            size: 56,
            values: (_, ticks) => ticks.map((value) => (value === null ? '' : formatNumber(value))),
          },
        ],
        series: [
          { value: (_, at) => (at ? new Date(at * 1000).toLocaleTimeString('en-GB') : '–') },
          ...series.map((one) => ({
            label: one.label,
            stroke: color(one.color),
            width: 1.5,
            ...(one.dashed && { dash: [5, 3] }),
            ...(one.fill && { fill: color(one.color, 0.12) }),
            points: { show: t.length < 3 },
            value: (_: UPlot, value: number | null) =>
              value === null ? '–' : `${formatNumber(value)} ${unit}`,
          })),
        ],
        hooks: {
          draw: [(self) => showRange(self, shown.current)],
          setSelect: [
            (self) => {
              if (self.select.width < 4) return;
              const from = self.posToVal(self.select.left, 'x') * 1000;
              const to = self.posToVal(self.select.left + self.select.width, 'x') * 1000;
              tell.current([Math.round(from), Math.round(to)]);
            },
          ],
        },
      },
      data,
      element,
    );
    plot.current = chart;
    const resize = new ResizeObserver(() => {
      chart.setSize({ width: element.clientWidth, height });
    });
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.destroy();
      plot.current = undefined;
    };
  }, [data, series, unit, height, log, sync, theme, t.length]);

  useEffect(() => {
    shown.current = range;
    if (plot.current) showRange(plot.current, range);
  }, [range]);

  return <div ref={host} className="chart" role="img" aria-label={label} />;
}

function showRange(chart: UPlot, range: readonly [number, number] | undefined): void {
  const width = chart.over.clientWidth;
  const left = range ? Math.max(0, chart.valToPos(range[0] / 1000, 'x')) : 0;
  const right = range ? Math.min(width, chart.valToPos(range[1] / 1000, 'x')) : 0;
  const height = right > left ? chart.over.clientHeight : 0;
  chart.setSelect({ left, top: 0, width: Math.max(0, right - left), height }, false);
}

const power = (value: number): number | null => (Number.isInteger(Math.log10(value)) ? value : null);

const tick = (at: number, step: number): string =>
  new Date(at * 1000).toLocaleString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(step < 60 && { second: '2-digit' }),
    ...(step >= 86_400 && { day: 'numeric', month: 'short' }),
  });

/** Reads colours of the tokens as the browser resolves them for this theme. */
function colorsOf(element: HTMLElement): (token: string, alpha?: number) => string {
  const probe = document.createElement('span');
  element.append(probe);
  const read = (token: string, alpha = 1) => {
    probe.style.color =
      alpha === 1 ? `var(${token})` : `color-mix(in srgb, var(${token}) ${alpha * 100}%, transparent)`;
    return getComputedStyle(probe).color;
  };
  queueMicrotask(() => probe.remove());
  return read;
}
