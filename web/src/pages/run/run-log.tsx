// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
import './run-log.css';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, Copy, Pause, Play } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { StreamStatus } from '../../api/stream.js';
import type { EventLevel, EventView, RunDetail } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { SearchBox, Select } from '../../components/field.js';
import { Empty, Section } from '../../components/page.js';
import { useToast } from '../../components/toast.js';
import { copy } from '../../components/values.js';
import { formatCount, formatUtc } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';

interface RunLogProps {
  run: RunDetail;
  events: readonly EventView[];
  over: boolean;
  status: StreamStatus;
}

const RANK: Record<EventLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const LEVELS = [
  ['debug', 'Everything'],
  ['', 'Info and above'],
  ['warn', 'Warnings and errors'],
  ['error', 'Errors'],
] as const;
/** How close to the end still counts as following it. */
const NEAR_PX = 24;
/** How long after the reader's last touch a scroll is still theirs. */
const TOUCH_MS = 600;

export function RunLog({ run, events, over, status }: RunLogProps) {
  const [params, setParams] = useUrlState();
  const level = (params.get('level') ?? 'info') as EventLevel;
  const command = params.get('log') ?? '';
  const search = params.get('q') ?? '';
  const toast = useToast();
  const lines = useMemo(() => {
    const least = RANK[level] ?? 1;
    const text = search.toLowerCase();
    return events.filter(
      (event) =>
        RANK[event.level] >= least &&
        (event.kind !== 'progress' || least === 0) &&
        (!command || event.command === command) &&
        (!text || `${event.command ?? ''} ${event.message}`.toLowerCase().includes(text)),
    );
  }, [events, level, command, search]);
  const setSearch = useCallback((q: string) => setParams({ q }), [setParams]);
  const [following, setFollowing] = useState(true);
  const count =
    lines.length === events.length
      ? formatCount(lines.length)
      : `${formatCount(lines.length)} of ${formatCount(events.length)}`;
  return (
    <Section
      title="Log"
      about={`${count} lines${over ? '' : status === 'live' ? ', live' : status === 'broken' ? ', connection lost: reconnecting' : ', connecting'}`}
      actions={
        <>
          <SearchBox label="Search log" value={search} onChange={setSearch} />
          <Select
            label="Command"
            value={command}
            onChange={(log) => setParams({ log })}
            options={[['', 'Every command'], ...run.commands.map((one) => [one.name, one.name] as const)]}
          />
          <Select
            label="Level"
            value={level === 'info' ? '' : level}
            onChange={(next) => setParams({ level: next })}
            options={LEVELS}
          />
          {!over && (
            <Button
              size="s"
              icon={following ? <Pause /> : <Play />}
              aria-pressed={following}
              onClick={() => setFollowing(!following)}
            >
              {following ? 'Pause' : 'Follow'}
            </Button>
          )}
          <Button
            size="s"
            look="ghost"
            label="Copy these lines"
            icon={<Copy />}
            onClick={() =>
              void copy(lines.map(asText).join('\n')).then(() =>
                toast.done(`${formatCount(lines.length)} lines were copied.`),
              )
            }
          />
        </>
      }
    >
      {lines.length === 0 ? (
        <Empty title={events.length === 0 ? 'Nothing logged yet' : 'No line matches'} />
      ) : (
        <Lines lines={lines} following={following && !over} onFollow={setFollowing} />
      )}
    </Section>
  );
}

interface LinesProps {
  lines: readonly EventView[];
  following: boolean;
  onFollow: (follow: boolean) => void;
}

function Lines({ lines, following, onFollow }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(lines.length);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 22,
    getItemKey: (index) => lines[index]!.id,
    overscan: 20,
  });

  const total = virtual.getTotalSize();
  // Read by the effect at once, before the state has come round: else one more line would pull the reader back.
  const follows = useRef(following);
  follows.current = following;
  const touched = useRef(0);
  const last = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is measured anew moves the end
  useEffect(() => {
    const element = box.current;
    if (!following || !follows.current || !element) return;
    element.scrollTop = element.scrollHeight;
    last.current = element.scrollTop;
    setSeen(lines.length);
  }, [following, lines.length, total]);

  // Scrolling up pauses; scrolling back to the end follows again. Only the reader's own movement counts.
  const touch = () => {
    touched.current = performance.now();
  };
  const moved = () => {
    const element = box.current;
    if (!element) return;
    const up = element.scrollTop < last.current - 1;
    last.current = element.scrollTop;
    if (performance.now() - touched.current > TOUCH_MS) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    if (atEnd) setSeen(lines.length);
    const next = up ? false : atEnd || follows.current;
    if (next === follows.current) return;
    follows.current = next;
    onFollow(next);
  };
  const fresh = lines.length - seen;

  return (
    <div className="log-frame">
      <div
        ref={box}
        className="log"
        role="log"
        aria-live="off"
        aria-label="Log lines"
        tabIndex={0}
        onScroll={moved}
        onWheel={touch}
        onTouchMove={touch}
        onPointerDown={touch}
        onPointerMove={(event) => event.buttons > 0 && touch()}
        onKeyDown={touch}
      >
        <div className="log-body" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const event = lines[item.index]!;
            return (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                className={`log-line log-${event.level}`}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <time dateTime={event.at} title={formatUtc(new Date(event.at))}>
                  {clock(event.at)}
                </time>
                <span className="log-level">{event.level}</span>
                <span className="log-command" title={event.command}>
                  {event.command ?? event.kind}
                </span>
                <span className="log-message">{event.message}</span>
              </div>
            );
          })}
        </div>
      </div>
      {!following && fresh > 0 && (
        <Button
          className="log-fresh"
          size="s"
          look="primary"
          icon={<ArrowDown />}
          onClick={() => onFollow(true)}
        >
          {formatCount(fresh)} new
        </Button>
      )}
    </div>
  );
}

const clock = (at: string): string => {
  const date = new Date(at);
  return `${date.toLocaleTimeString('en-GB', { hour12: false })}.${String(date.getMilliseconds()).padStart(3, '0')}`;
};

const asText = (event: EventView): string =>
  `${event.at} ${event.level.toUpperCase().padEnd(5)} ${event.command ?? event.kind} ${event.message}`;
