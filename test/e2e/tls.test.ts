import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../../src/postgres/testing/index.js';
import { type Otto, runOtto, spawnOtto, startOtto, waitFor } from './support/otto.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl)
  process.stdout.write('TLS is not tested: openssl, which makes the certificate, is not installed here\n');

let folder: string;
let otto: Otto;
let ours: { ca: string; cert: string; key: string };
let theirs: typeof ours;

describe.skipIf(!hasOpenssl)('a control plane that speaks TLS', () => {
  beforeAll(async () => {
    folder = await testFolder();
    // As in real life: the certificate is made out to a name, not to the address that is listened on.
    [ours, theirs] = await Promise.all([
      certificate('ours', 'otto.test'),
      certificate('theirs', 'otto.test'),
    ]);
    otto = await startOtto(join(folder, 'data'), [
      ...['--host', '0.0.0.0', '--tls-cert', ours.cert, '--tls-key', ours.key, '--tls-ca', ours.ca],
      ...['--allowed-host', 'otto.test'],
    ]);
  });

  afterAll(async () => {
    await otto?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('serves commands on its machine and the worker it launches', async () => {
    expect(otto.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(await otto.json(['db', 'list'])).toEqual([]);
    const launch = {
      command_type: 'LAUNCH_EXPLORATORY_WORKER',
      command_name: 'worker',
      parent_command_names: [],
    };
    const copy = {
      command_type: 'LAUNCH_EXPLORATORY_POSTGRES',
      command_name: 'copy',
      parent_command_names: ['worker'],
    };
    const run = await otto.cli(['dag', 'run', '-', '--follow'], { input: JSON.stringify([launch, copy]) });
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/state +SUCCEEDED/) });
  });

  it('is not believed without its authority, nor reached in the clear', async () => {
    const token = { OTTO_TOKEN: otto.adminToken, OTTO_DATA: join(folder, 'nowhere') };
    const port = Number(new URL(otto.url).port);
    const [unknown, wrong, right, clear] = await Promise.all([
      runOtto(['db', 'list', '--server', otto.url], { env: token }),
      runOtto(['db', 'list', '--server', otto.url, '--tls-ca', theirs.ca], { env: token }),
      apiBy('otto.test', port, await text(ours.ca)),
      runOtto(['db', 'list', '--server', `http://127.0.0.1:${port}`], { env: token }),
    ]);
    for (const refused of [unknown, wrong]) {
      expect(refused).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/certificate .* is not trusted[\s\S]*--tls-ca/),
      });
    }
    expect(right).toBe(200);
    expect(clear.exitCode).toBe(1);
  });

  it('is not believed by a worker that trusts another authority', async () => {
    const { token } = await otto.json<{ token: string }>(['token', 'create', 'w', '--role', 'worker']);
    const log = { text: '' };
    const worker = spawnOtto(
      [
        ...['worker', 'primary', '--server', otto.workerUrl, '--root', join(folder, 'worker')],
        ...['--tls-ca', theirs.ca, '--orphan-timeout', '3s'],
      ],
      { env: { OTTO_WORKER_TOKEN: token } },
    );
    worker.stderr?.on('data', (chunk: Buffer) => {
      log.text += chunk.toString();
    });
    await waitFor('it says why', async () => /certificate/i.test(log.text));
    expect((await worker).stdout).toMatch(/^ended: no control plane was reached/);
    expect(await otto.json<unknown[]>(['worker', 'list'])).not.toContainEqual(
      expect.objectContaining({ kind: 'primary' }),
    );
  });

  it('does not listen in the clear where others can reach it', async () => {
    const [http, half, broken] = await Promise.all([
      runOtto([
        'up',
        '--data',
        join(folder, 'two'),
        '--host',
        '0.0.0.0',
        '--port',
        '0',
        '--worker-port',
        '0',
      ]),
      runOtto(['up', '--data', join(folder, 'two'), '--tls-cert', ours.cert]),
      runOtto([
        'up',
        '--data',
        join(folder, 'three'),
        '--port',
        '0',
        '--tls-cert',
        ours.cert,
        '--tls-key',
        theirs.key,
      ]),
    ]);
    expect(http).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/without TLS[\s\S]*--tls-cert/),
    });
    expect(half).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/--tls-cert and --tls-key belong together/),
    });
    expect(broken).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/certificate and key cannot be used/),
    });
  });
});

async function text(file: string): Promise<string> {
  return (await execa('cat', [file])).stdout;
}

/** Status of a request to the API that knows the server by this name. */
async function apiBy(name: string, port: number, ca: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const headers = { host: `${name}:${port}`, authorization: `Bearer ${otto.adminToken}` };
    const options = { host: '127.0.0.1', port, path: '/api/v1/targets', servername: name, ca, headers };
    request(options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

/** An authority, and a certificate that it signed. */
async function certificate(name: string, host: string): Promise<typeof ours> {
  const file = (ending: string) => join(folder, `${name}-${ending}`);
  const [ca, caKey, cert, key, request, extensions] = [
    'ca.pem',
    'ca.key',
    'cert.pem',
    'key.pem',
    'csr',
    'ext',
  ].map(file) as [string, string, string, string, string, string];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await execa('openssl', [
    'req',
    '-x509',
    ...curve,
    '-keyout',
    caKey,
    '-out',
    ca,
    '-days',
    '2',
    '-subj',
    `/CN=${name} authority`,
  ]);
  await execa('openssl', ['req', ...curve, '-keyout', key, '-out', request, '-subj', `/CN=${host}`]);
  await writeFile(extensions, `subjectAltName=DNS:${host}\n`);
  await execa('openssl', [
    ...['x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial'],
    ...['-out', cert, '-days', '2', '-extfile', extensions],
  ]);
  return { ca, cert, key };
}
