import { join } from 'node:path';
import { command, flag } from './command.js';
import { positiveNumber, wholeNumber } from './limit.js';
import { ottoCommand, webRoot } from './program.js';
import { progressLine } from './progress-line.js';
import { version } from './version.js';

interface Options {
  once?: boolean;
  data: string;
  port?: number;
  seconds: number;
  rate: number;
  scale: number;
}

/** What `npm start` runs. */
export const demoCommand = () =>
  command<Options>({
    name: 'demo',
    summary: 'a whole loop on an embedded PostgreSQL with a replica, under load, with the web UI',
    example: 'otto demo --once --json',
    options: [
      flag('--once', 'end after the run, with its outcome as exit status', 'OTTO_DEMO_ONCE'),
      flag(
        '--data <folder>',
        'where everything of the demo lies; made anew each time',
        'OTTO_DEMO_DATA',
      ).default(join('.otto', 'demo')),
      flag(
        '--port <port>',
        'of the web UI; default 7117, or a free one when that is taken',
        'OTTO_DEMO_PORT',
      ).argParser(wholeNumber(0, 65_535)),
      flag('--seconds <count>', 'how long to capture', 'OTTO_DEMO_SECONDS')
        .default(15)
        .argParser(wholeNumber(1, 3_600)),
      flag('--rate <number>', 'transactions a second of the load', 'OTTO_DEMO_RATE')
        .default(30)
        .argParser(positiveNumber),
      flag('--scale <number>', 'TPC-C warehouses', 'OTTO_DEMO_SCALE').default(0.2).argParser(positiveNumber),
    ],
    async run({ options, out, signal }) {
      const { describeReport, runDemo } = await import('../demo/index.js');
      const { usableDataFolder, freePort } = await import('./data-folder.js');
      const line = progressLine(out);
      const demo = await runDemo({
        dataDirectory: await usableDataFolder(options.data, out),
        port: options.port ?? (await freePort(7117)),
        workerPort: 0,
        captureSeconds: options.seconds,
        rate: options.rate,
        scale: options.scale,
        ottoCommand: ottoCommand(),
        webRoot: webRoot(),
        version: version(),
        progress: line.show,
        onAddress: (url) => line.note(`web UI: ${url}`),
        signal,
      }).finally(line.end);
      try {
        out.result(demo.report, () => out.line(describeReport(demo.report)));
        if (demo.report.run.state !== 'SUCCEEDED') process.exitCode = 1;
        if (options.once) return;
        out.note(`\nThe load goes on; look around at ${demo.url}. Ctrl-C ends everything.`);
        if (!signal.aborted)
          await new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => resolve(), { once: true }),
          );
      } finally {
        if (!options.once) out.note('stopping…');
        await demo.stop();
      }
    },
  });
