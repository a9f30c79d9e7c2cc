import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestControl, type TestControl } from '../control/testing/index.js';
import { testFolder } from '../postgres/testing/index.js';
import { WorkerService } from '../workers/index.js';
import { buildServer, type RunningServer, type ServerOptions } from './index.js';
import { call } from './testing/index.js';

let control: TestControl;
const running: RunningServer[] = [];

beforeAll(async () => {
  control = await startTestControl();
  control.workerRoutes = (router) => {
    router.service(WorkerService, {
      getArtifact: () => {
        throw new ConnectError('reached', Code.FailedPrecondition);
      },
    });
  };
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
afterAll(async () => await control?.stop());

async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await buildServer(control, { port: 0, workerPort: 0, ...options });
  running.push(server);
  return server;
}

async function reachWorkerService(baseUrl: string, nodeOptions = {}): Promise<ConnectError> {
  const client = createClient(WorkerService, createGrpcTransport({ baseUrl, nodeOptions }));
  try {
    for await (const _ of client.getArtifact({ artifactId: 'x' })) throw new Error('an answer came');
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error('nothing came');
}

describe('the two listeners', () => {
  it('are on the loopback interface alone, on ports of their own', async () => {
    const server = await start();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect((await call(server.url, 'GET', '/health')).json).toEqual({
      status: 'ok',
      version: '0.0.0-test',
      database: 'up',
    });
    const reached = await reachWorkerService(server.workerUrl);
    expect([reached.code, reached.rawMessage]).toEqual([Code.FailedPrecondition, 'reached']);
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address && !address.internal && address.family === 'IPv4');
    if (outside) {
      const url = `http://${outside.address}:${server.port}`;
      await expect(call(url, 'GET', '/health')).rejects.toThrow(/ECONNREFUSED/);
    }
  });

  it('say which port is taken, and leave the other free', async () => {
    const blocker: Server = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as AddressInfo;
    try {
      await expect(start({ port })).rejects.toMatchObject({
        code: 'PORT_TAKEN',
        message: `the HTTP port ${port} on 127.0.0.1 is taken by another program`,
        hint: expect.stringContaining('--port'),
      });
      await expect(start({ workerPort: port })).rejects.toMatchObject({
        code: 'PORT_TAKEN',
        hint: expect.stringContaining('--worker-port'),
      });
    } finally {
      await new Promise<void>((resolve) => blocker.close(() => resolve()));
    }
    const again = await start({ port });
    expect(again.port).toBe(port);
  });

  it('are not opened to others without TLS, nor ever without tokens', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'TLS_NEEDED' });
    await expect(start({ host: '::' })).rejects.toMatchObject({ code: 'TLS_NEEDED' });
    await expect(start({ host: '0.0.0.0', open: true, insecureHttp: true })).rejects.toMatchObject({
      code: 'OPEN_MODE_EXPOSED',
    });
    const server = await start({ host: '0.0.0.0', insecureHttp: true });
    expect((await call(`http://127.0.0.1:${server.port}`, 'GET', '/health')).status).toBe(200);
  });

  it('close although a worker holds its connection', async () => {
    const server = await start();
    const session = connectHttp2(server.workerUrl);
    session.on('error', () => {});
    await new Promise<void>((resolve) => session.once('connect', () => resolve()));
    const gone = new Promise<void>((resolve) => session.once('close', () => resolve()));
    await server.close();
    await gone;
    await server.close();
  });
});

it('says that its database is away instead of hanging, and serves again once it is back', async () => {
  const other = await startTestControl();
  const server = await buildServer(other, { port: 0, workerPort: 0 });
  try {
    const { token } = await other.tokens.issue({ name: 'x', role: 'viewer' }, { name: 't', role: 'admin' });
    const ask = (path: string) => call(server.url, 'GET', path, { token });
    expect((await ask('/runs')).status).toBe(200);
    await other.postgres.instance.stop('immediate');
    const health = await ask('/health');
    expect(health.json).toMatchObject({ status: 'degraded', database: 'down' });
    const runs = await ask('/runs');
    expect([runs.status, runs.json.error]).toMatchObject([
      503,
      { code: 'DATABASE_UNAVAILABLE', transient: true },
    ]);
    await other.postgres.instance.start();
    expect((await ask('/runs')).status).toBe(200);
    expect((await ask('/health')).json.database).toBe('up');
  } finally {
    await server.close();
    await other.stop();
  }
});

describe('TLS', () => {
  let folder: string;
  let tls: { certFile: string; keyFile: string };
  let reason = '';
  beforeAll(async () => {
    folder = await testFolder();
    tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', tls.keyFile, '-out', tls.certFile, '-days', '2'];
    try {
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], {
        stdio: 'pipe',
      });
    } catch (error) {
      reason = `openssl cannot make a certificate here: ${(error as Error).message}`;
    }
    return () => rm(folder, { recursive: true, force: true });
  });

  it('is spoken by both listeners, and marks the cookie', async ({ skip }) => {
    skip(reason !== '', reason);
    const server = await start({ tls });
    expect(server.url).toMatch(/^https:/);
    const agent = new Agent({ rejectUnauthorized: false });
    const health = await call(server.url, 'GET', '/health', { agent });
    expect(health.status).toBe(200);
    expect(health.headers['strict-transport-security']).toMatch(/max-age=\d+/);
    const { token } = await control.tokens.issue({ name: 'x', role: 'viewer' }, { name: 't', role: 'admin' });
    const login = await call(server.url, 'POST', '/session', {
      agent,
      body: { token },
      headers: { origin: server.url },
    });
    expect(login.headers['set-cookie']?.[0]).toMatch(/; Secure/);
    agent.destroy();
    const reached = await reachWorkerService(server.workerUrl, { rejectUnauthorized: false });
    expect(reached.rawMessage).toBe('reached');
    await expect(call(server.url.replace('https', 'http'), 'GET', '/health')).rejects.toThrow();
  });

  it('says which file is missing or no certificate', async ({ skip }) => {
    skip(reason !== '', reason);
    const missing = start({ tls: { ...tls, keyFile: join(folder, 'none.pem') } });
    await expect(missing).rejects.toMatchObject({ code: 'TLS_FILE', where: join(folder, 'none.pem') });
    const wrong = start({ tls: { certFile: tls.keyFile, keyFile: tls.keyFile } });
    await expect(wrong).rejects.toMatchObject({ code: 'TLS_FILE' });
  });
});
