import './page.css';
import { ArrowLeft, CircleAlert, RotateCw } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { Link } from 'react-router';
import { ApiError } from '../api/client.js';
import { useTitle } from '../lib/hooks.js';
import { Button } from './button.js';
import { Command } from './values.js';

interface PageProps {
  title: string;
  /** Shown instead of the bare title. */
  heading?: ReactNode;
  /** One line: what this page shows. */
  about: ReactNode;
  crumbs?: { text: string; to: string }[];
  actions?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

export function Page({ title, heading, about, crumbs = [], actions, wide = false, children }: PageProps) {
  useTitle(title);
  return (
    <div className={wide ? 'page page-wide' : 'page'}>
      <header className="page-head">
        <div className="page-titles">
          {crumbs.length > 0 && (
            <nav className="crumbs" aria-label="Where this is">
              {crumbs.map((crumb) => (
                <Link key={crumb.to} to={crumb.to}>
                  <ArrowLeft aria-hidden="true" />
                  {crumb.text}
                </Link>
              ))}
            </nav>
          )}
          <h1>{heading ?? title}</h1>
          <p className="page-about">{about}</p>
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  title: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  /** `card` has a border and no inner space for tables; `plain` has none. */
  look?: 'card' | 'plain';
  padded?: boolean;
  children: ReactNode;
}

export function Section({ title, about, actions, look = 'card', padded = false, children }: SectionProps) {
  const id = useId();
  return (
    <section className={`section section-${look}`} aria-labelledby={id}>
      <div className="section-head">
        <div className="grow">
          <h2 id={id}>{title}</h2>
          {about && <p className="section-about">{about}</p>}
        </div>
        {actions && <div className="row row-wrap">{actions}</div>}
      </div>
      <div className={padded ? 'section-body section-padded' : 'section-body'}>{children}</div>
    </section>
  );
}

/** What will be here, and the one command that brings it. */
export function Empty({
  title,
  children,
  command,
}: {
  title: string;
  children?: ReactNode;
  command?: string;
}) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children && <p className="muted">{children}</p>}
      {command && <Command text={command} />}
    </div>
  );
}

export function Loading({ rows = 4, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">{label}…</span>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars without identity
        <span key={index} className="loading-bar" style={{ width: `${92 - ((index * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** What failed, where, and what to do about it. */
export function Failed({ error, what, retry }: { error: Error; what?: string; retry?: () => void }) {
  const api = error instanceof ApiError ? error : undefined;
  return (
    <div className="failed" role="alert">
      <CircleAlert aria-hidden="true" />
      <div className="stack-s grow">
        <p className="failed-title">{what ?? 'This could not be read.'}</p>
        <p>{error.message}</p>
        {api && api.issues.length > 0 && (
          <ul className="failed-issues">
            {api.issues.map((issue) => (
              <li key={`${issue.path} ${issue.message}`}>
                {issue.path && <code>{issue.path}</code>} {issue.message}
              </li>
            ))}
          </ul>
        )}
        {api?.hint && <p className="muted">{api.hint}</p>}
        {api && (
          <p className="faint mono">
            {api.code}
            {api.where ? ` · ${api.where}` : ''}
          </p>
        )}
        {retry && (
          <div>
            <Button size="s" icon={<RotateCw />} onClick={retry}>
              Try again
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

interface Readable<T> {
  data: T | undefined;
  error: Error | null;
  isPending: boolean;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  of: Readable<T>;
  rows?: number;
  what?: string;
  children: (data: T) => ReactNode;
}

/** The three states of a read. Old data stays while new data fails, and it is said. */
export function Loaded<T>({ of, rows, what, children }: LoadedProps<T>) {
  if (of.data !== undefined) {
    return (
      <>
        {of.error && (
          <p className="stale" role="status">
            Not up to date: {of.error.message}
          </p>
        )}
        {children(of.data)}
      </>
    );
  }
  if (of.error) return <Failed error={of.error} {...(what && { what })} retry={() => void of.refetch()} />;
  return <Loading {...(rows !== undefined && { rows })} />;
}
