import { formatBytes, formatProgress, type Progress, throttleProgress } from '../base/index.js';
import type { Output } from './output.js';

/** One line on stderr that is rewritten on a terminal; elsewhere a new line for each phase. */
export function progressLine(out: Output) {
  const live = process.stderr.isTTY === true;
  let shown = false;
  let phase = '';
  const clear = () => {
    if (live && shown) process.stderr.write('\r\u001b[K');
    shown = false;
  };
  const show = throttleProgress((progress: Progress) => {
    if (!live) {
      if (progress.phase !== phase) out.note(`… ${progress.phase}`);
      phase = progress.phase;
      return;
    }
    clear();
    const text = formatProgress(
      progress,
      progress.unit === 'bytes' ? formatBytes : (value) => value.toLocaleString('en'),
    );
    process.stderr.write(text.slice(0, (process.stderr.columns ?? 80) - 1));
    shown = true;
  });
  return {
    show,
    end: clear,
    note(text: string) {
      clear();
      out.note(text);
    },
  };
}
