import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { OttoError } from '../../base/index.js';
import { defineCollector } from './collector.js';
import { type CollectRequest, runCollector } from './run-collector.js';

/** Nothing listens there: what is tested here is the life cycle. */
const url = 'postgresql://localhost:1/nowhere';
let outDirectory: string;

beforeEach(async () => {
  outDirectory = await mkdtemp(join(tmpdir(), 'otto-collect-'));
});
afterEach(async () => {
  await rm(outDirectory, { recursive: true, force: true });
});

const fail = (message: string) => async (): Promise<never> => {
  throw new OttoError('BROKEN', message, { hint: 'mend it' });
};

/** A collector that tells what was called; each part may be replaced. */
function probe(parts: {
  setup?: () => Promise<string>;
  collect?: () => Promise<unknown>;
  cleanup?: () => Promise<void>;
}) {
  const calls: string[] = [];
  const collector = defineCollector({
    type: 'PROBE',
    summary: 'A collector for this test.',
    config: z.object({ size: z.number().default(3) }),
    result: z.object({ sizes: z.array(z.number()) }),
    async setup() {
      calls.push('setup');
      return parts.setup ? await parts.setup() : 'state';
    },
    async collect({ config }, state) {
      calls.push(`collect ${state}`);
      if (parts.collect) return (await parts.collect()) as { sizes: number[] };
      return { sizes: Array.from({ length: config.size }, (_, i) => i) };
    },
    async cleanup({ signal }, state) {
      calls.push(`cleanup ${state}${signal.aborted ? ' aborted' : ''}`);
      await parts.cleanup?.();
    },
    rows: ({ sizes }) => sizes.length,
  });
  const run = (request: Partial<CollectRequest> = {}) =>
    runCollector(collector, { url, role: 'clone', outDirectory, graceMs: 20, ...request });
  return { calls, run };
}

describe('runCollector', () => {
  it('sets up, collects, cleans up, and writes the result with what is known of it', async () => {
    const { calls, run } = probe({});
    const { result, rows, manifest, file } = await run({ config: { size: 2, dummy: 'ignored' } });
    expect(calls).toEqual(['setup', 'collect state', 'cleanup state']);
    expect(result).toEqual({ sizes: [0, 1] });
    expect(rows).toBe(2);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ sizes: [0, 1] });
    expect(await readdir(outDirectory)).toEqual(['probe.json']);
    expect(manifest).toMatchObject({
      schemaVersion: 1,
      collector: 'PROBE',
      role: 'clone',
      server: null,
      config: { size: 2 },
      rows: 2,
      holdsUserData: true,
    });
    expect(manifest.warnings.join()).toMatch(/could not be described/);
    expect(Date.parse(manifest.endedAt)).toBeGreaterThanOrEqual(Date.parse(manifest.startedAt));
  });

  it('cleans up after a failed setup and a failed collect, writes nothing, and keeps the error', async () => {
    const setup = probe({ setup: fail('no setup') });
    await expect(setup.run()).rejects.toMatchObject({ code: 'BROKEN', message: 'no setup', hint: 'mend it' });
    expect(setup.calls).toEqual(['setup', 'cleanup undefined']);
    const collect = probe({ collect: fail('no data') });
    await expect(collect.run()).rejects.toMatchObject({ code: 'BROKEN', message: 'no data' });
    expect(collect.calls).toEqual(['setup', 'collect state', 'cleanup state']);
    expect(await readdir(outDirectory)).toEqual([]);
  });

  it('tells of both when the clean-up fails too, the first one first', async () => {
    const { run } = probe({ collect: fail('no data'), cleanup: fail('stuck') });
    const error = await run().catch((caught: OttoError) => caught);
    expect(error).toMatchObject({ code: 'BROKEN', hint: 'mend it' });
    expect((error as OttoError).message).toMatch(/^no data .*cleaning up failed: stuck/);
    expect(((error as OttoError).cause as AggregateError).errors.map(String)).toEqual([
      expect.stringMatching(/no data/),
      expect.stringMatching(/stuck/),
    ]);
  });

  it('fails when only the clean-up failed', async () => {
    const { run } = probe({ cleanup: fail('stuck') });
    await expect(run()).rejects.toMatchObject({
      code: 'COLLECTOR_CLEANUP_FAILED',
      message: expect.stringMatching(/stuck/),
    });
  });

  it('cleans up on abort, with a signal that is not aborted, also when the collector does not heed it', async () => {
    const abort = new AbortController();
    const { calls, run } = probe({
      collect: () => {
        abort.abort();
        return new Promise(() => {});
      },
    });
    await expect(run({ signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(calls).toEqual(['setup', 'collect state', 'cleanup state']);
  });

  it('does not begin when it was cancelled before', async () => {
    const { calls, run } = probe({});
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(calls).toEqual(['cleanup undefined']);
  });

  it('ends when its time is up', async () => {
    const { calls, run } = probe({ collect: () => new Promise(() => {}), cleanup: fail('stuck') });
    await expect(run({ timeoutMs: 30 })).rejects.toMatchObject({
      code: 'COLLECTOR_TIMEOUT',
      message: expect.stringMatching(/0.03 s.*cleaning up failed: stuck/),
    });
    expect(calls.at(-1)).toBe('cleanup state');
  });

  it('refuses a bad config before anything runs, and a result that does not fit', async () => {
    const bad = probe({});
    await expect(bad.run({ config: { size: 'big' } })).rejects.toThrow(/PROBE config: size/);
    expect(bad.calls).toEqual([]);
    const unfit = probe({ collect: async () => ({ sizes: ['a'] }) });
    await expect(unfit.run()).rejects.toMatchObject({
      code: 'COLLECTOR_RESULT_INVALID',
      issues: [{ path: 'sizes[0]' }],
    });
    expect(unfit.calls.at(-1)).toBe('cleanup state');
    expect(await readdir(outDirectory)).toEqual([]);
  });
});
