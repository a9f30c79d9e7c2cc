import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, withConnection } from './connect.js';
import { connectError } from './connect-error.js';
import { describeServer } from './describe-server.js';
import { installationFor } from './installations.js';
import { PostgresInstance } from './instance.js';
import { testFolder } from './testing/index.js';
import { formatUrl, parseUrl } from './url.js';

let root: string;
let instance: PostgresInstance;
beforeAll(async () => {
  root = await testFolder();
  const installation = await installationFor(18);
  instance = await PostgresInstance.init({
    installation,
    dataDirectory: join(root, 'data'),
    password: 's3cr:t/@ä',
  });
  await instance.start();
});
afterAll(async () => {
  await instance?.destroy();
  await rm(root, { recursive: true, force: true });
});

const change = (parts: Partial<ReturnType<typeof parseUrl>>) =>
  formatUrl({ ...parseUrl(instance.url()), ...parts });

test('connects with a password of odd characters, over loopback and the socket', async () => {
  for (const url of [instance.url(), change({ host: instance.socketDirectory })]) {
    const { rows } = await withConnection(url, { applicationName: 'hello' }, (client) =>
      client.query("select current_setting('application_name') as name"),
    );
    expect(rows).toEqual([{ name: 'hello' }]);
  }
});

test('statement_timeout holds', async () => {
  const slow = withConnection(instance.url(), { statementTimeoutMs: 50 }, (client) =>
    client.query('select pg_sleep(30)'),
  );
  await expect(slow).rejects.toMatchObject({ code: '57014' });
});

test('sslmode=prefer falls back to an unencrypted connection, require does not', async () => {
  await withConnection(`${instance.url()}?sslmode=prefer`, {}, (client) => client.query('select 1'));
  await expect(connect(`${instance.url()}?sslmode=require`)).rejects.toMatchObject({ code: 'TLS_FAILED' });
});

describe('errors have a code, a remedy and no password', () => {
  const cases: [string, () => Promise<string>, string][] = [
    ['wrong password', async () => change({ password: 's3cr-wrong' }), 'AUTH_FAILED'],
    ['no password', async () => change({ password: undefined }), 'AUTH_FAILED'],
    ['unknown role', async () => change({ user: 'stranger' }), 'AUTH_FAILED'],
    ['unknown database', async () => change({ database: 'nowhere' }), 'NO_SUCH_DATABASE'],
    ['nothing listens', async () => change({ port: await getPort() }), 'CONNECT_REFUSED'],
    ['no such socket', async () => change({ host: '/nowhere' }), 'CONNECT_REFUSED'],
    ['unknown host', async () => change({ host: 'no-such-host.invalid' }), 'HOST_UNKNOWN'],
  ];
  test.each(cases)('%s', async (_, url, code) => {
    const error = await connect(await url(), { connectTimeoutMs: 20_000 }).then(
      () => undefined,
      (thrown) => thrown,
    );
    // Some sandboxes answer every unknown name with "try again".
    expect(error).toMatchObject({ code, hint: expect.stringMatching(/.{10}/) });
    expect(JSON.stringify(error) + String(error.stack) + String(error.cause?.stack)).not.toMatch(/s3cr/);
  });

  test('a server that does not answer', async () => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    await expect(connect(change({ port }), { connectTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      transient: true,
    });
    const abort = AbortSignal.timeout(50);
    await expect(
      connect(change({ port }), { connectTimeoutMs: 30_000, signal: abort }),
    ).rejects.toMatchObject({ code: 'CANCELLED' });
    silent.close();
  });

  test.each([
    ['57P03', 'SERVER_STARTING'],
    ['53300', 'TOO_MANY_CONNECTIONS'],
    ['ECONNRESET', 'CONNECTION_LOST'],
  ])('%s is %s', (code, expected) => {
    const address = { host: 'h', port: 1, user: 'u', database: 'd' };
    const raw = new AggregateError([Object.assign(new Error('x'), { code })]);
    expect(connectError(raw, address)).toMatchObject({ code: expected, transient: true });
  });
});

test('describeServer tells a superuser everything and a plain role what it may know', async () => {
  await withConnection(instance.url(), {}, async (client) => {
    expect(await describeServer(client)).toMatchObject({
      major: 18,
      isStandby: false,
      isSuperuser: true,
      mayReplicate: true,
      dataDirectory: instance.dataDirectory,
      loggingCollector: false,
      tablespaces: [],
      port: instance.port,
      bootstrapSuperuser: 'postgres',
      systemIdentifier: expect.stringMatching(/^\d+$/),
    });
    await client.query("create role plain login password 'plain'");
  });
  const info = await withConnection(change({ user: 'plain', password: 'plain' }), {}, describeServer);
  expect(info).toMatchObject({ isSuperuser: false, mayReplicate: false, roles: [], dataDirectory: null });
  expect(info.sizeBytes).toBeGreaterThan(1_000_000);
});
