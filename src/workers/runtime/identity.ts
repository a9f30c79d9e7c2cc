import { inside, newId, readJson, writeJson } from '../../base/index.js';

interface Saved {
  workerId: string;
  controlUrl: string;
}

export interface Identity {
  id: string;
  /** Takes the id that the control plane gave instead. */
  change(id: string): Promise<void>;
}

/**
 * The worker's id: the one given, else the one this root last used with this control plane, else a new one. Written
 * before it is first used, so that a hello whose answer was lost does not make two workers of one.
 */
export async function openIdentity(
  root: string,
  controlUrl: string,
  given: string | undefined,
): Promise<Identity> {
  const path = inside(root, 'worker.json');
  const saved = await readJson<Saved>(path);
  const known = saved?.controlUrl === controlUrl ? saved.workerId : undefined;
  const id = given ?? known ?? newId('wrk');
  const save = (workerId: string): Promise<void> => writeJson(path, { workerId, controlUrl });
  if (id !== known) await save(id);
  const identity: Identity = {
    id,
    async change(workerId) {
      if (workerId === identity.id) return;
      await save(workerId);
      identity.id = workerId;
    },
  };
  return identity;
}
