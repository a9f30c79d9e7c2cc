import { EventStreamParser, type StreamMessage } from '../lib/sse.js';
import { address } from './client.js';

export type StreamStatus = 'connecting' | 'live' | 'broken' | 'refused';

interface StreamOptions {
  path: string;
  /** Sent as Last-Event-ID on the first connection; later ones continue after the last event seen. */
  lastEventId?: string;
  signal: AbortSignal;
  onMessage: (message: StreamMessage) => void;
  onStatus: (status: StreamStatus) => void;
}

/** Longest silence before a connection counts as dead: the server pings every 15 s. */
const SILENCE_MS = 40_000;
const LONGEST_WAIT_MS = 15_000;

/**
 * Reads a server-sent event stream until `signal` aborts. It uses fetch and not EventSource, because it must name the
 * last event itself when it starts from a history already read, and must see the status when it is refused.
 */
export async function readStream(options: StreamOptions): Promise<void> {
  let lastEventId = options.lastEventId;
  let failures = 0;
  while (!options.signal.aborted) {
    if (failures === 0) options.onStatus('connecting');
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const response = await fetch(address(options.path), {
        headers: { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.any([options.signal, silence.signal]),
      });
      if (response.status === 401 || response.status === 403 || response.status === 404) {
        options.onStatus('refused');
        return;
      }
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      failures = 0;
      options.onStatus('live');
      const parser = new EventStreamParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const message of parser.push(value)) {
          if (message.id) lastEventId = message.id;
          options.onMessage(message);
        }
      }
    } catch {
      // A broken connection is shown by the status and healed by the next turn.
    } finally {
      clearTimeout(timer);
    }
    if (options.signal.aborted) return;
    failures += 1;
    options.onStatus('broken');
    await pause(Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(failures - 1, 5)), options.signal);
  }
}

/** Waits, but not longer than until the network or the tab comes back. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      document.removeEventListener('visibilitychange', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
    document.addEventListener('visibilitychange', done);
    signal.addEventListener('abort', done);
  });
}
