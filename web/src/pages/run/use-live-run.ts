import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { get, path } from '../../api/client.js';
import { runQuery } from '../../api/queries.js';
import { readStream, type StreamStatus } from '../../api/stream.js';
import type { EventView, Page, RunDetail, RunState, RunStateEvent } from '../../api/types.js';

const PAGE = 500;
const FLUSH_MS = 150;

export const isOver = (state: RunState): boolean => state !== 'PENDING' && state !== 'RUNNING';

/** A run, its events so far, and what comes as it comes. */
export function useLiveRun(id: string) {
  const run = useQuery(runQuery(id));
  const queries = useQueryClient();
  const [events, setEvents] = useState<readonly EventView[]>([]);
  const [status, setStatus] = useState<StreamStatus>('connecting');
  const [failure, setFailure] = useState<Error>();
  const over = run.data ? isOver(run.data.state) : undefined;
  const last = useRef(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another run begins with an empty log
  useEffect(() => {
    last.current = 0;
    setEvents([]);
    setFailure(undefined);
  }, [id]);

  useEffect(() => {
    if (over === undefined) return;
    const ending = new AbortController();
    const { signal } = ending;
    const incoming: EventView[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    const flush = () => {
      timer = undefined;
      const fresh = incoming.splice(0).filter((event) => event.id > last.current);
      if (fresh.length === 0) return;
      last.current = fresh.at(-1)!.id;
      setEvents((known) => [...known, ...fresh]);
    };
    const take = (event: EventView) => {
      incoming.push(event);
      timer ??= setTimeout(flush, FLUSH_MS);
    };

    void (async () => {
      for (;;) {
        const page = await get<Page<EventView>>(
          path('runs', id, 'events'),
          { after: last.current, limit: PAGE },
          signal,
        );
        incoming.push(...page.items);
        flush();
        if (page.items.length < PAGE) break;
      }
      if (over) return;
      await readStream({
        path: path('runs', id, 'stream'),
        lastEventId: String(last.current),
        signal,
        onStatus: setStatus,
        onMessage: ({ event, data }) => {
          if (event === 'event') take(JSON.parse(data) as EventView);
          else if (event === 'state') applyState(queries, JSON.parse(data) as RunStateEvent);
        },
      });
    })().catch((error: unknown) => {
      if (!signal.aborted) setFailure(error as Error);
    });
    return () => {
      ending.abort();
      clearTimeout(timer);
      flush();
    };
  }, [id, over, queries]);

  return { run, events, status, over: over ?? false, failure };
}

/** Puts a light update into the run that is shown, and reads it anew where something came to an end. */
function applyState(queries: QueryClient, light: RunStateEvent): void {
  const key = runQuery(light.id).queryKey;
  const known = queries.getQueryData<RunDetail>(key);
  if (!known) return;
  const updates = new Map(light.commands.map((command) => [command.name, command]));
  let changed = known.state !== light.state;
  const commands = known.commands.map((command) => {
    const update = updates.get(command.name);
    if (!update) return command;
    if (update.state !== command.state || update.attempt !== command.attempt) changed = true;
    return {
      ...command,
      state: update.state,
      attempt: update.attempt,
      progress: update.progress ?? undefined,
      startedAt: update.startedAt ?? undefined,
      endedAt: update.endedAt ?? undefined,
      error: update.error ?? undefined,
      reason: update.reason ?? undefined,
    } as typeof command;
  });
  queries.setQueryData<RunDetail>(key, { ...known, state: light.state, commands });
  // Inputs, outputs, attempts and artifacts come with the whole run only.
  if (changed) void queries.invalidateQueries({ queryKey: key });
}
