import pg from 'pg';
import { InputError } from '../../base/index.js';
import { connect, parseUrl, withConnection, withDatabase } from '../../postgres/index.js';
import type { CapturedSession } from './events.js';

const application = 'ottopilot replay';

interface Facts {
  superuser: boolean;
  maxConnections: number;
  databases: Set<string>;
  roles: Set<string>;
}

const factsSql = `
  select current_setting('is_superuser') = 'on' as superuser,
         current_setting('max_connections')::int as "maxConnections",
         (select coalesce(array_agg(datname::text), '{}') from pg_database where datallowconn) as databases,
         (select coalesce(array_agg(rolname::text), '{}') from pg_roles) as roles`;

/** The clone that a capture is replayed on. */
export class CloneServer {
  readonly warnings: string[] = [];
  readonly #url: string;
  readonly #facts: Facts;
  readonly #control: pg.Client;
  readonly #only: string | undefined;
  /** Captured databases that the clone does not have. */
  readonly missingDatabases = new Set<string>();

  private constructor(url: string, facts: Facts, control: pg.Client, only: string | undefined) {
    this.#url = url;
    this.#facts = facts;
    this.#control = control;
    this.#only = only;
  }

  static async open(
    url: string,
    sessions: readonly CapturedSession[],
    signal?: AbortSignal,
  ): Promise<CloneServer> {
    const control = await connect(url, { applicationName: application, signal });
    try {
      const { rows } = await control.query<Facts & { databases: string[]; roles: string[] }>(factsSql);
      const facts = rows[0]!;
      const captured = new Set(sessions.map(({ database }) => database));
      // A clone of one database often has another name than the original.
      const only = captured.size === 1 ? [...captured][0] : undefined;
      const clone = new CloneServer(
        url,
        { ...facts, databases: new Set(facts.databases), roles: new Set(facts.roles) },
        control,
        only,
      );
      await clone.#look(captured, new Set(sessions.map(({ user }) => user)));
      return clone;
    } catch (error) {
      await control.end().catch(() => {});
      throw error;
    }
  }

  async #look(captured: Set<string>, users: Set<string>): Promise<void> {
    const own = parseUrl(this.#url);
    for (const database of captured) {
      if (this.#databaseOf(database) === undefined) this.missingDatabases.add(database);
    }
    if (this.#only !== undefined && !this.#facts.databases.has(this.#only)) {
      this.warnings.push(`the clone has no database ${this.#only}: everything ran in ${own.database}`);
    }
    const missing = [...users].filter((user) => user !== own.user && !this.#facts.roles.has(user));
    if (missing.length > 0) {
      this.warnings.push(
        `the clone lacks the roles ${missing.join(', ')}: their sessions ran as ${own.user}`,
      );
    } else if (!this.#facts.superuser && [...users].some((user) => user !== own.user)) {
      this.warnings.push(`${own.user} is no superuser of the clone: every session ran as ${own.user}`);
    }
    const reach = await this.#reachOut(captured);
    if (reach.length > 0) {
      this.warnings.push(
        `the clone has foreign servers (${reach.join(', ')}): statements on their tables reached them`,
      );
    }
  }

  async #reachOut(captured: Set<string>): Promise<string[]> {
    const servers = new Set<string>();
    for (const database of new Set([...captured].flatMap((name) => this.#databaseOf(name) ?? []))) {
      await withConnection(
        withDatabase(this.#url, database),
        { applicationName: application },
        async (client) => {
          const { rows } = await client.query<{ name: string }>(
            'select srvname::text as name from pg_foreign_server',
          );
          for (const { name } of rows) servers.add(name);
        },
      );
    }
    return [...servers].sort();
  }

  #databaseOf(captured: string): string | undefined {
    if (this.#facts.databases.has(captured)) return captured;
    return this.#only === undefined ? undefined : parseUrl(this.#url).database;
  }

  /** @throws InputError TOO_MANY_SESSIONS when the clone itself has too few connections. */
  requireConnections(count: number): void {
    // Ours for control, and those reserved for superusers.
    const free = this.#facts.maxConnections - 5;
    if (count <= free) return;
    throw new InputError(
      `the replay needs ${count} connections at once, and the clone allows about ${free}`,
      {
        code: 'TOO_MANY_SESSIONS',
        hint: `Launch the clone with max_connections of at least ${count + 5}.`,
      },
    );
  }

  /** A connection as the captured session had it: its database, and its role where that is possible. */
  async connect(session: CapturedSession, signal: AbortSignal): Promise<pg.Client> {
    const database = this.#databaseOf(session.database) ?? parseUrl(this.#url).database;
    const client = await connect(withDatabase(this.#url, database), { applicationName: application, signal });
    const { superuser, roles } = this.#facts;
    if (superuser && roles.has(session.user) && session.user !== parseUrl(this.#url).user) {
      await client.query(`set session authorization ${pg.escapeIdentifier(session.user)}`);
    }
    return client;
  }

  async cancel(processId: number): Promise<void> {
    await this.#control.query('select pg_cancel_backend($1)', [processId]);
  }

  /** Cancels whatever the replay is running. */
  async cancelAll(): Promise<void> {
    await this.#control.query(
      'select pg_cancel_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()',
      [application],
    );
  }

  async close(): Promise<void> {
    await this.#control.end().catch(() => {});
  }
}
