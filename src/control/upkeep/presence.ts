import { hostname } from 'node:os';
import { sql } from 'kysely';
import { type Database, json } from '../../store/index.js';
import { controlPlaneLeaseMs } from '../workers/leases.js';

/** This control plane's own lease. */
export class Presence {
  readonly #db: Database;
  readonly #id: string;

  constructor(db: Database, id: string) {
    this.#db = db;
    this.#id = id;
  }

  async announce(version: string): Promise<void> {
    await this.#db
      .insertInto('control_planes')
      .values({
        id: this.#id,
        host: hostname(),
        pid: process.pid,
        version,
        address: '{}',
        lease_expires_at: sql<Date>`now() + ${controlPlaneLeaseMs} * interval '1 ms'`,
      })
      .execute();
  }

  async setAddress(address: Record<string, unknown>): Promise<void> {
    await this.#db
      .updateTable('control_planes')
      .set({ address: json(address) })
      .where('id', '=', this.#id)
      .execute();
  }

  /** False when others gave this control plane up: its runs are driven elsewhere now. */
  async renew(): Promise<boolean> {
    const row = await this.#db
      .updateTable('control_planes')
      .set({ lease_expires_at: sql<Date>`now() + ${controlPlaneLeaseMs} * interval '1 ms'` })
      .where('id', '=', this.#id)
      .where('stopped_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Hands over at once: nobody need wait for the lease to run out. */
  async leave(): Promise<void> {
    await this.#db
      .updateTable('control_planes')
      .set({ lease_expires_at: sql<Date>`'-infinity'` })
      .where('id', '=', this.#id)
      .where('stopped_at', 'is', null)
      .execute();
  }
}
