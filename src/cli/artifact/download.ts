import { command, flag } from '../command.js';
import { downloadArtifact } from '../download.js';

export const downloadCommand = () =>
  command<{ out?: string }>({
    name: 'download',
    summary: 'download an artifact and check it',
    example: 'otto artifact download art_01kb2v… --out report.json',
    args: [['<artifact>', 'id of the artifact']],
    options: [flag('--out <file>', 'where to; default: its own name here; - is stdout', 'OTTO_DOWNLOAD_OUT')],
    api: true,
    run: async (call) => await downloadArtifact(call, call.args[0]!, call.options.out),
  });
