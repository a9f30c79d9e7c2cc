import { appendFile, mkdtemp, rename, rm, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonLine, record } from '../log/log.fixtures.js';
import { FileLogSource } from './file-source.js';
import { LogTail } from './log-tail.js';

let folder: string;
let source: FileLogSource;
let tail: LogTail;
let seen: number[];
let next: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otto-tail-'));
  source = new FileLogSource(folder);
  tail = new LogTail(source, 'jsonlog');
  seen = [];
  next = 0;
});
afterEach(async () => {
  await source.close();
  await rm(folder, { recursive: true, force: true });
});

const line = () => jsonLine(record({ line: ++next, message: `message ${next} ${'x'.repeat(next % 40)}` }));
const poll = () => tail.poll(({ line }) => seen.push(line));
const all = () => Array.from({ length: next }, (_, i) => i + 1);

describe('the log', () => {
  it('is read from where it ended when the capture began', async () => {
    await writeFile(join(folder, 'a.json'), line() + line());
    await tail.start();
    await appendFile(join(folder, 'a.json'), line());
    await writeFile(join(folder, 'a.log'), 'not ours\n');
    await poll();
    expect(seen).toEqual([3]);
  });

  it('is read in the order of writing over many files, with lines cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ lines: fc.nat(4), cut: fc.nat(200), poll: fc.boolean(), rotate: fc.boolean() }),
          { maxLength: 25 },
        ),
        async (steps) => {
          await source.close();
          await rm(folder, { recursive: true });
          folder = await mkdtemp(join(tmpdir(), 'otto-tail-'));
          source = new FileLogSource(folder);
          tail = new LogTail(source, 'jsonlog');
          seen = [];
          next = 0;
          await tail.start();
          let file = 0;
          let held = '';
          for (const step of steps) {
            const text = held + Array.from({ length: step.lines }, line).join('');
            // A file is only left at the end of a record.
            const kept = step.rotate ? 0 : Math.min(step.cut, text.length);
            await appendFile(join(folder, `${String(10 + file)}.json`), text.slice(0, text.length - kept));
            held = text.slice(text.length - kept);
            if (step.poll) await poll();
            if (step.rotate) file++;
          }
          await appendFile(join(folder, `${String(10 + file)}.json`), held);
          await poll();
          expect(seen).toEqual(all());
          expect(tail.countCutOff()).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is read in the order of change where names say nothing', async () => {
    const write = async (name: string, seconds: number) => {
      await writeFile(join(folder, name), line());
      await utimes(join(folder, name), seconds, seconds);
    };
    await tail.start();
    await write('Sun.json', 1000);
    await poll();
    await appendFile(join(folder, 'Sun.json'), line());
    await utimes(join(folder, 'Sun.json'), 2000, 2000);
    await write('Mon.json', 2000);
    await write('Fri.json', 3000);
    await poll();
    expect(seen).toEqual(all());
  });

  it('is read to its end when its file is renamed or deleted', async () => {
    const path = join(folder, 'server.json');
    await writeFile(path, '');
    await tail.start();
    await appendFile(path, line());
    await poll();
    await appendFile(path, line());
    await rename(path, join(folder, 'server.json.1'));
    await writeFile(path, line());
    await poll();
    await appendFile(path, line());
    await unlink(path);
    await poll();
    expect(seen).toEqual(all());
  });

  it('is known to be emptied under the reader', async () => {
    const path = join(folder, 'server.json');
    await tail.start();
    await writeFile(path, line() + line());
    await poll();
    await truncate(path, 0);
    await appendFile(path, line());
    await poll();
    expect(seen).toEqual([1, 2, 3]);
    expect(tail.truncations).toBe(1);
  });

  it('is known to be cut off in a file that was left', async () => {
    await tail.start();
    await writeFile(join(folder, 'a.json'), line().slice(0, 30));
    await poll();
    await writeFile(join(folder, 'b.json'), line());
    await poll();
    expect(seen).toEqual([2]);
    expect(tail.countCutOff()).toBe(1);
  });
});
