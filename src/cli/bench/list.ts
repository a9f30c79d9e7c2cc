import { command } from '../command.js';

export const listCommand = () =>
  command({
    name: 'list',
    summary: 'the benchmarks and what their scale means',
    example: 'otto bench list',
    async run({ out }) {
      const { benchmarks } = await import('../../workload/index.js');
      const rows = Object.values(benchmarks).map(({ name, summary, scaleHelp, transactionTypes }) => ({
        name,
        summary,
        scaleHelp,
        transactionTypes,
      }));
      out.result(rows, () =>
        out.table(
          ['name', 'what', 'scale', 'transactions'],
          rows.map((row) => [row.name, row.summary, row.scaleHelp, row.transactionTypes.join(', ')]),
        ),
      );
    },
  });
