import { formatBytes } from '../../base/index.js';
import { command, flag } from '../command.js';
import { positiveNumber } from '../limit.js';
import { benchUrl, progressTo, seedOption, urlArgs, urlFileOption } from './options.js';

interface Options {
  urlFile?: string;
  scale: number;
  seed: number;
}

export const loadCommand = () =>
  command<Options>({
    name: 'load',
    summary: "create and fill a benchmark's schema in a database",
    example: 'otto bench load tpcc postgresql://postgres@localhost:5432/bench --scale 2',
    args: urlArgs,
    options: [
      urlFileOption(),
      flag('--scale <number>', 'how much; see otto bench list').default(1).argParser(positiveNumber),
      seedOption(),
    ],
    async run(call) {
      const { options, args, out } = call;
      const { benchmarkNamed } = await import('../../workload/index.js');
      const benchmark = benchmarkNamed(args[0]!);
      const url = await benchUrl(args[1], options.urlFile, out);
      const { progress, end } = progressTo(out);
      const { scale, seed } = options;
      const report = await benchmark.load(url, { scale, seed, signal: call.signal, progress }).finally(end);
      out.result(report, () => {
        out.table(
          ['table', 'rows', 'size'],
          report.tables.map(({ name, rows, bytes }) => [name, rows, formatBytes(bytes)]),
        );
        out.line(`${formatBytes(report.bytes)} in ${report.seconds.toFixed(1)} s`);
      });
    },
  });
