import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { sql } from 'kysely';
import type { Control } from '../control/index.js';

interface Sample {
  labels?: Record<string, string>;
  value: number;
}

interface Family {
  name: string;
  help: string;
  type: 'gauge' | 'counter';
  samples: Sample[];
}

/** Every state, also those that nothing is in: a series that vanishes at zero cannot raise an alarm. */
const states = {
  runs: ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'],
  commands: ['PENDING', 'READY', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED', 'TIMED_OUT'],
  workers: ['STARTING', 'READY', 'DRAINING', 'LOST', 'STOPPED'],
  clones: ['STARTING', 'READY', 'STOPPING', 'STOPPED', 'LOST'],
  targets: ['UNKNOWN', 'HEALTHY', 'UNHEALTHY'],
} as const;

/** The control plane in numbers, in the text format of Prometheus (version 0.0.4). */
export class Metrics {
  readonly #control: Control;
  readonly #streams: () => number;
  #lag: IntervalHistogram | undefined;

  constructor(control: Control, options: { streams: () => number }) {
    this.#control = control;
    this.#streams = options.streams;
  }

  start(): void {
    this.#lag = monitorEventLoopDelay({ resolution: 20 });
    this.#lag.enable();
  }

  stop(): void {
    this.#lag?.disable();
  }

  async expose(): Promise<string> {
    const families = await Promise.all([
      ...Object.keys(states).map((table) => this.#byState(table as keyof typeof states)),
      this.#openChanges(),
    ]);
    return [...families, ...this.#process()].map(format).join('');
  }

  async #byState(table: keyof typeof states): Promise<Family> {
    const removed = table === 'targets' ? sql`where removed_at is null` : sql``;
    const { rows } = await sql<{ state: string; count: number }>`
      select state, count(*) as count from ${sql.table(table)} ${removed} group by state
    `.execute(this.#control.db);
    return {
      name: `otto_${table}`,
      help: `${table[0]!.toUpperCase()}${table.slice(1)} by state.`,
      type: 'gauge',
      samples: states[table].map((state) => ({
        labels: { state },
        value: rows.find((row) => row.state === state)?.count ?? 0,
      })),
    };
  }

  async #openChanges(): Promise<Family> {
    const { rows } = await sql<{ target: string; count: number }>`
      select t.name as target, count(c.id) as count
      from targets t left join changes c on c.target_id = t.id and c.state = 'INTENDED'
      where t.removed_at is null group by t.name order by t.name
    `.execute(this.#control.db);
    return {
      name: 'otto_open_changes',
      help: 'Settings that we changed and have not put back, by target.',
      type: 'gauge',
      samples: rows.map(({ target, count }) => ({ labels: { target }, value: count })),
    };
  }

  #process(): Family[] {
    const gauge = (name: string, help: string, value: number): Family => ({
      name,
      help,
      type: 'gauge',
      samples: [{ value }],
    });
    const lag = this.#lag;
    const seconds = (ns: number) => (Number.isFinite(ns) ? ns / 1e9 : 0);
    return [
      {
        name: 'otto_info',
        help: 'The control plane that answers.',
        type: 'gauge',
        samples: [{ labels: { id: this.#control.id, version: this.#control.version }, value: 1 }],
      },
      gauge('otto_streams', 'Event streams that are open here.', this.#streams()),
      gauge(
        'otto_database_connections',
        'Connections of the pool to the database.',
        this.#control.pool.totalCount,
      ),
      gauge('otto_database_waiting', 'Queries that wait for a connection.', this.#control.pool.waitingCount),
      {
        name: 'otto_event_loop_delay_seconds',
        help: 'Delay of the event loop since the server started.',
        type: 'gauge',
        samples: lag
          ? [
              { labels: { quantile: '0.5' }, value: seconds(lag.percentile(50)) },
              { labels: { quantile: '0.99' }, value: seconds(lag.percentile(99)) },
              { labels: { quantile: '1' }, value: seconds(lag.max) },
            ]
          : [],
      },
      gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
      {
        name: 'process_cpu_seconds_total',
        help: 'Processor time used.',
        type: 'counter',
        samples: [{ value: (process.cpuUsage().user + process.cpuUsage().system) / 1e6 }],
      },
    ];
  }
}

/** One family as exposition text. */
export function format({ name, help, type, samples }: Family): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const inner = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    return `${name}${inner.length > 0 ? `{${inner.join(',')}}` : ''} ${value}`;
  });
  return `${[`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`, ...lines].join('\n')}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
