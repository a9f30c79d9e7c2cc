import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { post } from '../../api/client.js';
import { runQuery } from '../../api/queries.js';
import type { Validation } from '../../api/types.js';
import { json } from '../../components/values.js';
import { useDebounced } from '../../lib/hooks.js';
import { SAMPLES } from './samples.js';

const KEY = 'otto.draft';

/** The text that is edited. It survives a reload of this tab; a run to start from replaces it. */
export function useDraft(from: string | undefined) {
  const [text, setText] = useState(() => (from ? '' : read()));
  const [edited, setEdited] = useState(false);
  const origin = useQuery({ ...runQuery(from ?? ''), enabled: from !== undefined });
  const document = origin.data?.document;
  useEffect(() => {
    if (document === undefined || edited) return;
    setText(typeof document === 'string' ? document : json(document));
  }, [document, edited]);

  const change = (next: string) => {
    setEdited(true);
    setText(next);
    try {
      sessionStorage.setItem(KEY, next);
    } catch {
      // Storage is blocked or full: the draft lives as long as the page.
    }
  };
  return { text, change, origin };
}

function read(): string {
  try {
    return sessionStorage.getItem(KEY) ?? SAMPLES[0]!.text;
  } catch {
    return SAMPLES[0]!.text;
  }
}

/** What the server finds in the text, once typing has paused. */
export function useValidation(text: string, target: string) {
  const settled = useDebounced(text, 350);
  const query = useQuery({
    queryKey: ['validate', settled, target],
    queryFn: () => post<Validation>('/dags/validate', { document: settled, ...(target && { target }) }),
    enabled: settled.trim() !== '',
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: false,
  });
  return { ...query, current: settled === text && !query.isPlaceholderData && query.data !== undefined };
}
