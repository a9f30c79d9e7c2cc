import { formatBytes, formatDuration } from '../base/index.js';
import type { ControlPlane } from '../control/index.js';
import type { CommandRow } from '../store/index.js';
import type { DemoCluster } from './demo-cluster.js';

interface CaptureOutput {
  artifact: string;
  bytes: number;
  seconds: number;
  method: string;
  counts: Record<string, number>;
  lost: { what: string; count: number | null }[];
  restored: { setting: string; outcome: string }[];
}

interface ReplayOutput {
  seconds: number;
  sessions: number;
  transactions: number;
  statements: number;
  errors: number;
  throughput: number;
  divergence: { class: string; count: number }[];
  lateness_ms: { p50: number; p95: number; p99: number };
  latency_ms: { p50: number; p95: number; p99: number };
  captured_latency_ms: { p50: number; p95: number; p99: number };
  warnings: string[];
}

interface CloneOutput {
  method: string;
  tool: string;
  bytes: number;
  seconds: number;
  lsn?: string;
}

/** What `--once --json` prints. */
export interface DemoReport {
  run: {
    id: string;
    state: string;
    seconds: number;
    commands: {
      name: string;
      type: string;
      state: string;
      seconds: number | null;
      output: unknown;
      error?: unknown;
    }[];
  };
  capture: CaptureOutput | null;
  replay: ReplayOutput | null;
  clone: CloneOutput | null;
  primary: { version: string; loadedRows: number; loadedBytes: number };
}

/** Reads the report from what the run has stored. */
export async function reportOf(
  control: Pick<ControlPlane, 'db'>,
  runId: string,
  cluster: DemoCluster,
): Promise<DemoReport> {
  const run = await control.db
    .selectFrom('runs')
    .selectAll()
    .where('id', '=', runId)
    .executeTakeFirstOrThrow();
  const commands = await control.db
    .selectFrom('commands')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('ordinal')
    .execute();
  const output = <T>(type: string) =>
    (commands.find((command) => command.type === type)?.output ?? null) as T | null;
  return {
    run: {
      id: run.id,
      state: run.state,
      seconds: seconds(run.started_at, run.ended_at) ?? 0,
      commands: commands.map((command) => ({
        name: command.name,
        type: command.type,
        state: command.state,
        seconds: seconds(command.started_at, command.ended_at),
        output: command.output,
        ...(command.error && { error: command.error }),
      })),
    },
    capture: output<CaptureOutput>('CAPTURE_PRIMARY_WORKLOAD'),
    replay: output<ReplayOutput>('REPLAY_WORKLOAD'),
    clone: output<CloneOutput>('LAUNCH_EXPLORATORY_POSTGRES'),
    primary: { version: cluster.version, loadedRows: cluster.loaded.rows, loadedBytes: cluster.loaded.bytes },
  };
}

/** The report as a person reads it at the end of the demo. */
export function describeReport(report: DemoReport): string {
  const { run, capture, replay, clone, primary } = report;
  const lines = [
    `Run ${run.id}: ${run.state} in ${formatDuration(run.seconds * 1000)}`,
    ...run.commands.map(commandLine),
    '',
    `Primary   PostgreSQL ${primary.version}, TPC-C, ${primary.loadedRows.toLocaleString('en')} rows, ${formatBytes(primary.loadedBytes)}, with a streaming replica`,
  ];
  if (clone) {
    lines.push(
      `Clone     ${formatBytes(clone.bytes)} of the replica in ${clone.seconds.toFixed(1)} s (${clone.method}, ${clone.tool})`,
    );
  }
  if (capture) {
    const { counts } = capture;
    const lost =
      capture.lost.length === 0
        ? 'nothing lost'
        : `lost: ${capture.lost.map((each) => `${each.count ?? '?'} ${each.what}`).join(', ')}`;
    lines.push(
      `Capture   ${n(counts.events)} statements (BEGIN, COMMIT and ROLLBACK included), ${n(counts.transactions)} transactions, ${n(counts.sessions)} sessions in ${capture.seconds.toFixed(0)} s; ${lost}; ${formatBytes(capture.bytes)} of Parquet`,
      `          ${capture.restored.length} settings of the owner changed by reload and put back`,
    );
  }
  if (replay) {
    const diverged = replay.divergence.reduce((sum, each) => sum + each.count, 0);
    const same = replay.statements === 0 ? 0 : (100 * (replay.statements - diverged)) / replay.statements;
    lines.push(
      `Replay    ${n(replay.statements)} statements in ${replay.seconds.toFixed(1)} s on the clone; ${same.toFixed(2)} % with the captured outcome`,
      `          latency p50 ${ms(replay.latency_ms.p50)}, p99 ${ms(replay.latency_ms.p99)} (captured: ${ms(replay.captured_latency_ms.p50)}, ${ms(replay.captured_latency_ms.p99)}); sent late by p50 ${ms(replay.lateness_ms.p50)}, p99 ${ms(replay.lateness_ms.p99)}`,
      ...replay.divergence.map(
        (each) => `          diverged: ${n(each.count)} ${each.class.replaceAll('_', ' ')}`,
      ),
      ...replay.warnings.map((warning) => `          note: ${warning}`),
    );
  }
  return lines.join('\n');
}

function commandLine(command: DemoReport['run']['commands'][number]): string {
  const took = command.seconds === null ? '' : formatDuration(command.seconds * 1000);
  const error = (command.error as { message?: string } | undefined)?.message;
  return `  ${command.state.padEnd(10)} ${command.name.padEnd(28)} ${took.padStart(8)}${error ? `  ${error}` : ''}`;
}

function seconds(from: CommandRow['started_at'], to: CommandRow['ended_at']): number | null {
  return from && to ? (to.getTime() - from.getTime()) / 1000 : null;
}

function n(value: number | undefined): string {
  return (value ?? 0).toLocaleString('en');
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
