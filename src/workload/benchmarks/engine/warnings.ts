import type { Driven } from './drive.js';

const busyShare = 0.9;
const lagLimitMs = 50;
const lateStartMs = 5;

/** What makes the numbers of a run doubtful: a load generator at its limit measures itself. */
export function warningsOf(run: Omit<Driven, 'warnings'>): string[] {
  const warnings: string[] = [];
  const { client, mode, offeredRate, startDelayMs } = { ...run, ...run.client };
  const clientBusy = client.cpuShare > busyShare;
  if (clientBusy) {
    warnings.push(
      `The load generator was busy ${percent(client.cpuShare)} of the time: it, not the server, may be the limit. Use more processes.`,
    );
  }
  if (client.eventLoopLagP99Ms > lagLimitMs) {
    warnings.push(
      `The load generator was held up (event-loop lag p99 ${client.eventLoopLagP99Ms.toFixed(0)} ms): latencies are too high by up to that much.`,
    );
  }
  if (mode === 'open' && startDelayMs && startDelayMs.p99 > lateStartMs && !clientBusy) {
    warnings.push(
      `Transactions waited in the client for a free connection (start delay p99 ${startDelayMs.p99.toFixed(0)} ms): ${run.connections} connections were too few for this rate and these latencies. The wait is counted.`,
    );
  }
  if (offeredRate !== undefined && run.unserved > 0) {
    warnings.push(
      `${run.unserved} arrivals were not served in time: ${run.throughput.toFixed(1)}/s of the ${offeredRate}/s offered. They are in the percentiles with the time they had waited, so these are lower bounds.`,
    );
  }
  const failures = run.errors.reduce((sum, error) => sum + error.count, 0);
  if (failures > 0) {
    const codes = run.errors.map(({ code, count }) => `${code} ×${count}`).join(', ');
    warnings.push(`${failures} transactions failed (${codes}) and are not in the latencies.`);
  }
  if (run.completed === 0) warnings.push('No transaction completed.');
  return warnings;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
