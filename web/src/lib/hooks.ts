import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { useSearchParams } from 'react-router';

/** The time, renewed every `everyMs` while `active`. */
export function useNow(active: boolean, everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [active, everyMs]);
  return now;
}

export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

export const useIsSmall = (): boolean => useMediaQuery('(max-width: 47.99rem)');

interface SetOptions {
  /** Adds a step to the history, so that Back undoes it. Typing does not. */
  push?: boolean;
}

type Params = Record<string, string | undefined>;

/** The part of the address after `?` as the state of a page. An empty value leaves the address. */
export function useUrlState(): [URLSearchParams, (next: Params, options?: SetOptions) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (next: Params, options: SetOptions = {}) => {
      setParams(
        (current) => {
          const copy = new URLSearchParams(current);
          for (const [key, value] of Object.entries(next)) {
            if (value === undefined || value === '') copy.delete(key);
            else copy.set(key, value);
          }
          return copy;
        },
        { replace: !options.push, preventScrollReset: true },
      );
    },
    [setParams],
  );
  return [params, set];
}

/** `value` once it has not changed for `ms`. */
export function useDebounced<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Ottopilot` : 'Ottopilot';
  }, [title]);
}
