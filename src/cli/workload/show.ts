import { formatBytes } from '../../base/index.js';
import type { ArtifactView, TemplateView } from '../api-types.js';
import { command, flag } from '../command.js';
import { wholeNumber } from '../limit.js';

interface Capture {
  artifact: ArtifactView;
  templates: TemplateView[];
}

export const showCommand = () =>
  command<{ top: number }>({
    name: 'show',
    summary: 'a capture: its counts, and the templates that took most time',
    example: 'otto workload show art_01kb2v… --top 20',
    args: [['<capture>', 'id of the capture']],
    options: [flag('--top <count>', 'so many templates').default(10).argParser(wholeNumber(1, 1_000))],
    api: true,
    async run({ options, args, out, api }) {
      const capture = await (await api()).get<Capture>(`/captures/${encodeURIComponent(args[0]!)}`);
      out.result(capture, () => {
        const { artifact, templates } = capture;
        out.facts([
          ['capture', artifact.id],
          ['run', artifact.runId],
          ['created', artifact.createdAt],
          ['size', formatBytes(artifact.bytes)],
          ...Object.entries(artifact.summary),
        ]);
        out.line();
        const top = [...templates].sort((a, b) => b.totalMs - a.totalMs).slice(0, options.top);
        out.table(
          ['total ms', 'calls', 'errors', 'mean ms', 'p99 ms', 'template'],
          top.map(({ totalMs, calls, errors, meanMs, p99Ms, sql }) => [
            totalMs.toFixed(0),
            calls,
            errors,
            meanMs.toFixed(2),
            p99Ms.toFixed(2),
            sql.replace(/\s+/g, ' ').slice(0, 100),
          ]),
        );
      });
    },
  });
