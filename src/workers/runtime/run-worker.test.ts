import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/index.js';
import { testFolder } from '../../postgres/testing/index.js';
import { type GatewayScript, TestGateway } from '../testing/index.js';
import type { WorkerOptions } from './options.js';
import { runWorker } from './run-worker.js';

let root: string;
let gateway: TestGateway;
let stop: AbortController;

beforeEach(async () => {
  root = await testFolder();
});
afterEach(async () => {
  stop.abort();
  await gateway.kill();
  await rm(root, { recursive: true, force: true });
});

/** A control plane and, when it listens, the worker: how that ends. */
async function start(
  script: GatewayScript = {},
  options: Partial<WorkerOptions> = {},
): Promise<{ ended: Promise<{ reason: string }> }> {
  gateway = await TestGateway.start(script);
  stop = new AbortController();
  const ended = runWorker({
    controlUrl: gateway.url,
    token: 'secret',
    kind: 'exploratory',
    name: 'test',
    root: join(root, 'worker'),
    logger: silentLogger,
    signal: stop.signal,
    ...options,
  });
  ended.catch(() => undefined);
  return { ended };
}

describe('runWorker', () => {
  it('knows the built-in commands and those of plug-ins', async () => {
    const plugin = join(root, 'plugin.mjs');
    await writeFile(
      plugin,
      `export const commands = ({ z }) => [{
        type: { type: 'DOUBLE', summary: 'Doubles.', place: 'exploratory', config: z.object({ n: z.number() }),
          output: z.number(), defaultTimeoutMs: 1000, onWorkerLost: 'retry' },
        run: async ({ n }) => 2 * n,
      }];`,
    );
    const { ended } = await start({}, { plugins: [plugin] });
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'DOUBLE', configJson: '{"n":21}' });
    expect(await gateway.report('run_1/a/1')).toMatchObject({ state: 'SUCCEEDED', output: 42 });
    gateway.assign({ attemptId: 'run_1/b/1', type: 'COMMAND', configJson: '{"argv":["true"]}' });
    expect((await gateway.report('run_1/b/1')).error?.code).toBe('COMMAND_NOT_ALLOWED');
    stop.abort();
    expect(await ended).toEqual({ reason: 'it was told to stop' });
  });

  it('runs COMMAND where it is allowed, and says so', async () => {
    const { ended } = await start({}, { allowCommand: ['echo'] });
    const { hello } = await gateway.attached();
    expect(JSON.parse(hello.infoJson)).toMatchObject({ allowCommand: true });
    gateway.assign({ attemptId: 'run_1/a/1', type: 'COMMAND', configJson: '{"argv":["echo","hi"]}' });
    expect(await gateway.report('run_1/a/1')).toMatchObject({ output: { exit_code: 0, stdout: 'hi\n' } });
    stop.abort();
    await ended;
  });

  it('writes its token nowhere, keeps its id, and frees its root', async () => {
    const token = 'otw_very_secret';
    const { ended } = await start({ token }, { token });
    const { workerId } = (await gateway.attached()).hello;
    stop.abort();
    await ended;
    const files = await readdir(join(root, 'worker'), { recursive: true, withFileTypes: true });
    expect(files.map(({ name }) => name)).toContain('worker.json');
    expect(files.map(({ name }) => name)).not.toContain('worker.lock');
    for (const file of files.filter((entry) => entry.isFile())) {
      expect(await readFile(join(file.parentPath, file.name), 'utf8')).not.toContain(token);
    }
    const again = new AbortController();
    const restarted = runWorker({
      controlUrl: gateway.url,
      token,
      kind: 'exploratory',
      name: 'test',
      root: join(root, 'worker'),
      logger: silentLogger,
      signal: again.signal,
    });
    expect((await gateway.attached(2)).hello.workerId).toBe(workerId);
    again.abort();
    await restarted;
  });
});

const openssl = await execa('openssl', ['version'], { reject: false });
describe.skipIf(openssl.failed)('over TLS (needs the openssl program to make a certificate)', () => {
  async function certificate(): Promise<{ cert: string; key: string; ca: string }> {
    const [key, ca] = [join(root, 'key.pem'), join(root, 'cert.pem')];
    await execa('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...['-subj', '/CN=otto test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', ca],
    ]);
    return { cert: await readFile(ca, 'utf8'), key: await readFile(key, 'utf8'), ca };
  }

  it('trusts the authority it is given, by file or as text', async () => {
    const { cert, key, ca } = await certificate();
    for (const given of [ca, cert]) {
      const { ended } = await start({ tls: { cert, key } }, { tls: { ca: given } });
      await gateway.attached();
      stop.abort();
      await ended;
      await gateway.kill();
    }
  });

  it('does not send its token to a server that it cannot verify', async () => {
    const { cert, key } = await certificate();
    const { ended } = await start({ tls: { cert, key } }, { orphanTimeoutMs: 300 });
    expect((await ended).reason).toContain('no control plane was reached');
    expect(gateway.received).toEqual([]);
  });
});
