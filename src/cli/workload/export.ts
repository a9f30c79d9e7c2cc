import { command, flag } from '../command.js';
import { downloadArtifact } from '../download.js';

export const exportCommand = () =>
  command<{ out?: string }>({
    name: 'export',
    summary: 'download a capture (Parquet)',
    example: 'otto workload export art_01kb2v… --out workload.parquet',
    args: [['<capture>', 'id of the capture']],
    options: [flag('--out <file>', 'where to; default: its own name here; - is stdout', 'OTTO_EXPORT_OUT')],
    api: true,
    run: async (call) => await downloadArtifact(call, call.args[0]!, call.options.out),
  });
