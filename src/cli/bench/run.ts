import { parseDuration } from '../../base/index.js';
import type { BenchmarkReport } from '../../workload/index.js';
import { command, flag } from '../command.js';
import { positiveNumber, wholeNumber } from '../limit.js';
import type { Output } from '../output.js';
import { benchUrl, progressTo, seedOption, urlArgs, urlFileOption } from './options.js';

interface Options {
  urlFile?: string;
  time: string;
  rate?: number;
  connections: number;
  seed: number;
  mix?: string;
}

export const runCommand = () =>
  command<Options>({
    name: 'run',
    summary: 'run a benchmark that is loaded, and measure',
    example: 'otto bench run ycsb postgresql://postgres@localhost:5432/bench --time 30s --rate 500',
    args: urlArgs,
    options: [
      urlFileOption(),
      flag('--time <duration>', 'how long', 'OTTO_BENCH_TIME').default('60s'),
      flag('--rate <number>', 'transactions offered per second; absent: as fast as it goes').argParser(
        positiveNumber,
      ),
      flag('--connections <count>', 'connections').default(8).argParser(wholeNumber(1, 1_000)),
      flag('--mix <letter>', 'ycsb: core workload A to F').choices(['A', 'B', 'C', 'D', 'E', 'F']),
      seedOption(),
    ],
    async run(call) {
      const { options, args, out } = call;
      const { rate, connections, seed, mix } = options;
      const { benchmarkNamed } = await import('../../workload/index.js');
      const benchmark = benchmarkNamed(args[0]!);
      const seconds = parseDuration(options.time) / 1000;
      const url = await benchUrl(args[1], options.urlFile, out);
      const { progress, end } = progressTo(out);
      const report = await benchmark
        .run(url, {
          seconds,
          connections,
          seed,
          ...(rate !== undefined && { rate }),
          ...(mix !== undefined && { mix }),
          signal: call.signal,
          progress,
        })
        .finally(end);
      out.result(report, () => printReport(report, out));
    },
  });

function printReport(report: BenchmarkReport, out: Output): void {
  out.facts([
    ['throughput', `${report.throughput.toFixed(1)} transactions/s`],
    ['completed', report.completed],
    ['errors', report.errors.reduce((sum, { count }) => sum + count, 0)],
    ['retries', report.retries],
    ['unserved', report.mode === 'open' ? report.unserved : undefined],
  ]);
  out.line();
  const ms = (value: number) => value.toFixed(2);
  out.table(
    ['transaction', 'completed', 'errors', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
    [
      ...report.byType,
      { type: 'all', completed: report.completed, errors: '', latencyMs: report.latencyMs },
    ].map((row) => [
      row.type,
      row.completed,
      row.errors,
      ms(row.latencyMs.p50),
      ms(row.latencyMs.p95),
      ms(row.latencyMs.p99),
      ms(row.latencyMs.max),
    ]),
  );
  for (const { code, count, message } of report.errors) out.note(`error ${code} (${count}): ${message}`);
  for (const warning of report.warnings) out.note(`warning: ${warning}`);
}
