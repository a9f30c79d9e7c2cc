/**
 * SIGTERM or SIGINT as a worker understands them: the first drains, the second stops. `dispose` takes the handlers
 * away again.
 */
export function processSignals(): { drain: AbortSignal; signal: AbortSignal; dispose: () => void } {
  const drain = new AbortController();
  const stop = new AbortController();
  const handler = (name: NodeJS.Signals): void => {
    if (drain.signal.aborted) stop.abort(new Error(name));
    else drain.abort(new Error(name));
  };
  process.on('SIGTERM', handler);
  process.on('SIGINT', handler);
  return {
    drain: drain.signal,
    signal: stop.signal,
    dispose: () => {
      process.off('SIGTERM', handler);
      process.off('SIGINT', handler);
    },
  };
}
