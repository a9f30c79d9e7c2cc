import './values.css';
import { Check, Copy } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Link } from 'react-router';
import { formatAgo, formatTime, formatUtc, shortId } from '../lib/format.js';
import { useNow } from '../lib/hooks.js';
import { Button } from './button.js';

/** A moment in the viewer's zone; UTC on hover. */
export function Time({ at, look = 'clock' }: { at: string | number; look?: 'clock' | 'ago' }) {
  const date = new Date(at);
  const now = useNow(look === 'ago', 10_000);
  const clock = formatTime(date, new Date(now));
  const ago = formatAgo(date.getTime(), now);
  return (
    <time
      className="time"
      dateTime={date.toISOString()}
      title={look === 'ago' ? `${clock} · ${formatUtc(date)}` : `${ago} · ${formatUtc(date)}`}
    >
      {look === 'ago' ? ago : clock}
    </time>
  );
}

/** Nothing known here. */
export const None = () => (
  <span className="faint" title="none">
    <span aria-hidden="true">–</span>
    <span className="visually-hidden">none</span>
  </span>
);

/** The end of an id; the whole of it on hover and in the copy. */
export function Id({ id, to }: { id: string; to?: string }) {
  const text = (
    <span className="mono id" title={id}>
      {shortId(id)}
    </span>
  );
  return to ? <Link to={to}>{text}</Link> : text;
}

export function CopyButton({ text, label = 'Copy' }: { text: string | (() => string); label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      look="ghost"
      size="s"
      label={copied ? 'Copied' : label}
      icon={copied ? <Check /> : <Copy />}
      onClick={() => {
        void copy(typeof text === 'string' ? text : text()).then(() => setCopied(true));
      }}
    />
  );
}

/** The clipboard needs a secure page; over plain HTTP on another host the old way serves. */
export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** Text in a fixed-width box: SQL, JSON, a command line. */
export function Code({ text, label, wrap = true }: { text: string; label: string; wrap?: boolean }) {
  return (
    <figure className="code" aria-label={label}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre className={wrap ? 'code-wrap' : ''} tabIndex={0}>
        {text}
      </pre>
      <CopyButton text={text} label={`Copy ${label}`} />
    </figure>
  );
}

export const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** The one command that brings what is missing. */
export function Command({ text }: { text: string }) {
  return (
    <span className="command">
      <span className="faint" aria-hidden="true">
        $
      </span>
      <code>{text}</code>
      <CopyButton text={text} label="Copy command" />
    </span>
  );
}

export function Badge({
  children,
  tone = 'idle',
  title,
}: {
  children: ReactNode;
  tone?: string;
  title?: string;
}) {
  return (
    <span className={`badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}

/** Names and values; rows without a value are left out. */
export function Facts({ items, columns = false }: { items: [string, ReactNode][]; columns?: boolean }) {
  return (
    <dl className={columns ? 'facts facts-columns' : 'facts'}>
      {items
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name} className="fact">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function ProgressBar({ value, label }: { value: number; label: string }) {
  const percent = Math.max(0, Math.min(100, value * 100));
  return (
    <span
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuenow={Math.round(percent)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}
