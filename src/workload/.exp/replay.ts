import { replayWorkload } from '../index.js';
const [file, speed] = process.argv.slice(2);
const r = await replayWorkload({ file: file!, url: 'postgresql://postgres@127.0.0.1:55418/bench', speed: speed === 'max' ? 'max' : Number(speed) });
console.log(JSON.stringify({ ...r, templates: r.templates.slice(0, 3) }, null, 1));
