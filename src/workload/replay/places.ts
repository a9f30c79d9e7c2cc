import { InputError } from '../../base/index.js';
import type { CapturedSession } from './events.js';

/**
 * Gives each session a place (a connection at a time): sessions that did not overlap may share one.
 * @throws InputError TOO_MANY_SESSIONS when more overlapped than there are places.
 */
export function assignPlaces(
  sessions: readonly CapturedSession[],
  maxConnections: number,
): Map<string, number> {
  const places = new Map<string, number>();
  const freeFromUs: number[] = [];
  for (const { session, firstUs, lastUs } of [...sessions].sort((a, b) => a.firstUs - b.firstUs)) {
    let place = freeFromUs.length < maxConnections ? freeFromUs.length : -1;
    // A place of its own while there are some: sharing one makes a late session wait for another.
    if (place < 0) {
      place = freeFromUs.findIndex((freeUs) => freeUs < firstUs);
      if (place < 0) throw tooMany(sessions, maxConnections);
    }
    places.set(session, place);
    freeFromUs[place] = lastUs;
  }
  return places;
}

/** Most sessions open at one time. */
export function mostOverlapping(sessions: readonly CapturedSession[]): number {
  const edges = sessions.flatMap(({ firstUs, lastUs }) => [
    { us: firstUs, change: 1 },
    { us: lastUs, change: -1 },
  ]);
  // A session that begins as another ends overlaps it.
  edges.sort((a, b) => a.us - b.us || b.change - a.change);
  let open = 0;
  let most = 0;
  for (const { change } of edges) {
    open += change;
    most = Math.max(most, open);
  }
  return most;
}

function tooMany(sessions: readonly CapturedSession[], maxConnections: number): InputError {
  const most = mostOverlapping(sessions);
  return new InputError(
    `${most} sessions of the capture overlap, and the replay may open ${maxConnections} connections`,
    {
      code: 'TOO_MANY_SESSIONS',
      hint: `Allow at least ${most} connections, and see that the clone's max_connections does.`,
    },
  );
}
