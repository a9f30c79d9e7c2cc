import './gantt.css';
import { useMemo, useState } from 'react';
import type { CommandView, RunDetail } from '../../api/types.js';
import { Empty } from '../../components/page.js';
import { StatusIcon, toneOf } from '../../components/status.js';
import { formatClock, formatDuration, formatTime, words } from '../../lib/format.js';
import { type Segment, segmentsOf, timeTicks } from '../../lib/gantt.js';
import { useIsSmall, useNow } from '../../lib/hooks.js';
import { isOver } from './use-live-run.js';

interface GanttProps {
  run: RunDetail;
  selected: string | undefined;
  onSelect: (name: string) => void;
}

/** When each command waited and ran. The details of the row under the pointer or the focus stand below. */
export function Gantt({ run, selected, onSelect }: GanttProps) {
  const active = !isOver(run.state);
  const now = useNow(active);
  const small = useIsSmall();
  const [shown, setShown] = useState<string>();
  const rows = useMemo(
    () => run.commands.map((command) => ({ command, segments: segmentsOf(command, now) })),
    [run.commands, now],
  );
  const start = Math.min(...rows.flatMap((row) => row.segments.map((segment) => segment.from)));
  if (!Number.isFinite(start)) return <Empty title="No command has become ready yet" />;
  const end = Math.max(...rows.flatMap((row) => row.segments.map((segment) => segment.to)), start + 1000);
  const length = end - start;
  const left = (at: number) => `${(100 * (at - start)) / length}%`;
  const ticks = timeTicks(length, small ? 3 : 8);
  const detail = rows.find((row) => row.command.name === (shown ?? selected)) ?? rows[0];
  return (
    <div className="gantt">
      <div className="gantt-axis" aria-hidden="true">
        <span />
        <div className="gantt-track">
          {ticks.map((tick) => (
            <span key={tick} style={{ left: left(start + tick) }}>
              {length < 5000 ? `${tick / 1000} s` : formatClock(tick).replace(/\.\d$/, '')}
            </span>
          ))}
        </div>
      </div>
      <ul aria-label="Commands over time">
        {rows.map(({ command, segments }) => (
          <li key={command.name}>
            <button
              type="button"
              className="gantt-row"
              aria-pressed={command.name === selected}
              aria-label={summary(command, segments, start)}
              onClick={() => onSelect(command.name)}
              onFocus={() => setShown(command.name)}
              onBlur={() => setShown(undefined)}
              onPointerEnter={() => setShown(command.name)}
              onPointerLeave={() => setShown(undefined)}
            >
              <span className="gantt-name">
                <StatusIcon state={command.state} />
                <span className="truncate">{command.name}</span>
              </span>
              <span className="gantt-track" aria-hidden="true">
                {ticks.map((tick) => (
                  <span key={tick} className="gantt-line" style={{ left: left(start + tick) }} />
                ))}
                {segments.map((segment) => (
                  <span
                    key={`${segment.kind}${segment.from}`}
                    data-attempt={
                      segment.attempt !== undefined && segment.attempt > 1 ? segment.attempt : undefined
                    }
                    className={`gantt-bar gantt-${segment.kind} tone-${segment.state ? toneOf(segment.state) : 'idle'} ${
                      segment.state === 'RUNNING' ? 'gantt-live' : ''
                    }`}
                    style={{
                      left: left(segment.from),
                      width: `${(100 * (segment.to - segment.from)) / length}%`,
                    }}
                  ></span>
                ))}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {detail && <Detail command={detail.command} segments={detail.segments} start={start} />}
      <div className="gantt-legend" aria-hidden="true">
        <span className="gantt-key gantt-waiting" /> waiting
        <span className="gantt-key gantt-running tone-ok" /> succeeded
        <span className="gantt-key gantt-running tone-active" /> running
        <span className="gantt-key gantt-running tone-bad" /> failed attempt
        <span className="faint">Times count from {formatTime(new Date(start), new Date(now))}</span>
      </div>
    </div>
  );
}

function Detail({
  command,
  segments,
  start,
}: {
  command: CommandView;
  segments: readonly Segment[];
  start: number;
}) {
  return (
    <div className="gantt-detail">
      <strong>{command.name}</strong>
      {segments.length === 0 && <span className="muted">{command.reason ?? 'has not become ready'}</span>}
      {segments.map((segment) => (
        <span key={`${segment.kind}${segment.from}`}>
          {segment.kind === 'waiting' ? 'waited' : `attempt ${segment.attempt} ${words(segment.state ?? '')}`}{' '}
          {formatDuration(segment.to - segment.from)}{' '}
          <span className="muted">from +{formatClock(segment.from - start)}</span>
        </span>
      ))}
    </div>
  );
}

function summary(command: CommandView, segments: readonly Segment[], start: number): string {
  const parts = segments.map((segment) =>
    segment.kind === 'waiting'
      ? `waited ${formatDuration(segment.to - segment.from)}`
      : `attempt ${segment.attempt} ${words(segment.state ?? '')} after ${formatDuration(segment.to - segment.from)}, started ${formatDuration(segment.from - start)} into the run`,
  );
  return `${command.name}, ${words(command.state)}${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`;
}
