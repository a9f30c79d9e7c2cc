import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, sha256 } from '../../base/index.js';
import { listClones } from '../../postgres/index.js';
import { testFolder } from '../../postgres/testing/index.js';
import type { WorkerCommand } from '../command.js';
import { launchExploratoryPostgres } from '../commands/launch-exploratory-postgres.js';
import { startTestWorker, testCommand } from '../testing/index.js';
import { disposals, setUp } from '../testing/suite.js';

describe('artifacts', () => {
  it('go up and come down with their checksum, over the one connection', async () => {
    const content = Buffer.alloc(3_000_000, 'otto');
    let path = '';
    const command = testCommand('TRANSFER', async (_config, context) => {
      const file = join(context.root, 'big.bin');
      await writeFile(file, content);
      const sent = await context.artifacts.put(file, {
        kind: 'k',
        name: 'n',
        format: 'json',
        manifest: { a: 1 },
      });
      const [first, second] = await Promise.all([
        context.artifacts.get(sent.id),
        context.artifacts.get(sent.id),
      ]);
      path = first.path;
      return { sent, same: first.path === second.path, manifest: first.manifest };
    });
    const { gateway, worker } = await setUp([command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'TRANSFER' });
    expect(await gateway.report('run_1/a/1')).toMatchObject({
      state: 'SUCCEEDED',
      output: { sent: { bytes: content.length, sha256: sha256(content) }, same: true, manifest: { a: 1 } },
    });
    expect(path.startsWith(join(worker.root, 'artifacts'))).toBe(true);
    expect((await stat(path)).size).toBe(content.length);
    expect(gateway.connections).toBe(1);
  });

  it('that arrive damaged are refused and leave nothing behind', async () => {
    const command = testCommand('FETCH', async (config, context) => context.artifacts.get(String(config.id)));
    const { gateway, worker } = await setUp([command]);
    await gateway.attached();
    const artifact = {
      id: 'art_1',
      kind: 'k',
      name: 'n',
      format: 'json',
      bytes: 4,
      sha256: sha256('good'),
      manifest: {},
    };
    gateway.artifacts.set('art_1', { artifact, content: Buffer.from('evil') });
    gateway.assign({ attemptId: 'run_1/a/1', type: 'FETCH', configJson: '{"id":"art_1"}' });
    expect((await gateway.report('run_1/a/1')).error?.code).toBe('ARTIFACT_DAMAGED');
    expect(await readdir(join(worker.root, 'artifacts'))).toEqual([]);
    gateway.assign({ attemptId: 'run_1/b/1', type: 'FETCH', configJson: '{"id":"../../etc/passwd"}' });
    expect((await gateway.report('run_1/b/1')).error?.code).toBe('BAD_ARTIFACT_ID');
    gateway.assign({ attemptId: 'run_1/c/1', type: 'FETCH', configJson: '{"id":"art_none"}' });
    expect((await gateway.report('run_1/c/1')).error?.code).toBe('NOT_FOUND');
  });
});

describe('clones', () => {
  it('are noted before the control plane hears of them, and cleared away past their time to live', async () => {
    const command = testCommand('MAKES', async (config, context) => {
      await context.cloneRegistry.started({
        id: 'cln_a',
        keep: false,
        limits: {},
        expiresAt: new Date(Date.now() + Number(config.ttlMs)).toISOString(),
      });
      return {};
    });
    const { gateway, worker } = await setUp([command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'MAKES', configJson: '{"ttlMs":-1000}' });
    await gateway.report('run_1/a/1');
    expect(await exists(join(worker.root, 'clone-notes', 'cln_a.json'))).toBe(true);
    gateway.cut();
    expect((await gateway.attached(2)).hello.cloneIds).toEqual(['cln_a']);
    gateway.attachment.send({ case: 'order', value: { order: 'DROP_CLONE', subject: 'cln_b' } });
    await gateway.until(
      () => gateway.records.filter(({ action }) => action === 'clone_stopped').length === 2,
    );
    expect(gateway.records.map(({ body }) => (body as { id: string }).id).sort()).toEqual([
      'cln_a',
      'cln_a',
      'cln_b',
    ]);
    expect(await exists(join(worker.root, 'clone-notes', 'cln_a.json'))).toBe(false);
  });

  it('outlive the worker, and are stopped and deleted by the next where nobody wants them', async () => {
    const options = { root: await testFolder() };
    disposals.push(() => rm(options.root, { recursive: true, force: true }));
    const { gateway, worker } = await setUp([launchExploratoryPostgres as WorkerCommand], {}, options);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/clone/1', type: 'LAUNCH_EXPLORATORY_POSTGRES' });
    const { instance } = (await gateway.report('run_1/clone/1', 30_000)).output as { instance: string };
    expect(gateway.records.map(({ action }) => action)).toEqual(['clone_started', 'clone_ready']);
    worker.stop.abort();
    await worker.ended;
    expect(await listClones(options.root)).toMatchObject([{ id: instance, running: true }]);

    gateway.epoch = 2n;
    gateway.script = { welcome: (hello) => ({ dropCloneIds: hello.cloneIds }) };
    const next = await startTestWorker(gateway, [], options);
    disposals.push(next.dispose);
    expect((await gateway.attached(2)).hello.cloneIds).toEqual([instance]);
    await gateway.until(() => gateway.records.some(({ action }) => action === 'clone_stopped'));
    expect(await listClones(options.root)).toEqual([]);
    await expect.poll(() => readdir(join(options.root, 'clone-notes'))).toEqual([]);
  });

  it('without our marker are never deleted', async () => {
    const { gateway, worker } = await setUp([]);
    await gateway.attached();
    const foreign = join(worker.root, 'clones', 'cln_foreign');
    await mkdir(foreign, { recursive: true });
    await writeFile(join(foreign, 'precious'), 'data');
    gateway.attachment.send({ case: 'order', value: { order: 'DROP_CLONE', subject: 'cln_foreign' } });
    gateway.attachment.send({ case: 'order', value: { order: 'DROP_CLONE', subject: '../attempts' } });
    gateway.attachment.send({ case: 'order', value: { order: 'DROP_CLONE', subject: 'cln_none' } });
    await gateway.until(() => gateway.records.length > 0);
    expect(gateway.records.map(({ body }) => (body as { id: string }).id)).toEqual(['cln_none']);
    expect(await exists(join(foreign, 'precious'))).toBe(true);
    expect(await exists(join(worker.root, 'attempts'))).toBe(true);
  });
});
