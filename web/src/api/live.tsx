import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { readStream, type StreamStatus } from './stream.js';

const LiveContext = createContext<StreamStatus>('connecting');

/** State of the connection that tells which lists have changed. */
export const useLiveStatus = (): StreamStatus => useContext(LiveContext);

/** Reads that show more than their own table. */
const ALSO: Record<string, string[]> = {
  targets: ['overview'],
  changes: ['overview', 'targets'],
  workers: ['overview'],
  clones: ['overview'],
  artifacts: ['workload'],
};

const FLUSH_MS = 400;

/** Keeps every list fresh: hints from the server are collected for a moment, then what they touch is read again. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [status, setStatus] = useState<StreamStatus>('connecting');

  useEffect(() => {
    const ending = new AbortController();
    const stale = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let broke = false;

    const flush = () => {
      timer = undefined;
      const tables = [...stale];
      stale.clear();
      for (const table of tables) void queries.invalidateQueries({ queryKey: [table] });
    };
    const touch = (...tables: string[]) => {
      for (const table of tables) stale.add(table);
      timer ??= setTimeout(flush, FLUSH_MS);
    };

    void readStream({
      path: '/stream',
      signal: ending.signal,
      onStatus: (next) => {
        setStatus(next);
        // What happened while it was broken is unknown: read everything that is on the screen again.
        if (next === 'broken') broke = true;
        if (next === 'live' && broke) {
          broke = false;
          void queries.invalidateQueries();
        }
      },
      onMessage: ({ event, data }) => {
        if (event === 'run') return touch('runs', 'overview');
        if (event !== 'fleet') return;
        const table = tableOf(data);
        if (table) touch(table, ...(ALSO[table] ?? []));
      },
    });
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [queries]);

  return <LiveContext value={status}>{children}</LiveContext>;
}

function tableOf(data: string): string | undefined {
  try {
    return (JSON.parse(data) as { table?: string }).table;
  } catch {
    return undefined;
  }
}
