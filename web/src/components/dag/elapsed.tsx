import { formatClock } from '../../lib/format.js';
import { useNow } from '../../lib/hooks.js';

interface Timed {
  startedAt?: string | undefined;
  endedAt?: string | undefined;
}

/** How long a command has run, counting while it does. */
export function Elapsed({ command }: { command: Timed }) {
  const active = command.startedAt !== undefined && command.endedAt === undefined;
  const now = useNow(active);
  if (!command.startedAt) return null;
  const end = command.endedAt ? Date.parse(command.endedAt) : now;
  return <span>{formatClock(end - Date.parse(command.startedAt))}</span>;
}
