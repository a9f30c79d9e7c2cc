import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel } from 'ssh2';

const { Server, utils } = ssh2;

/** An SSH server in this process that really runs what it is told, as sshd does, and forwards ports back. */
export interface SshServer {
  port: number;
  /** Private key that is let in, mode 600. */
  identityFile: string;
  /** known_hosts with this server's key. */
  knownHostsFile: string;
  /** Home folder of whoever logs in. */
  home: string;
  /** Commands that were run, and what was written to their stdin. */
  readonly sessions: { command: string; stdin: string; pid: number | undefined }[];
  /** Breaks every connection without a word. What was started lives on, as under sshd. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startSshServer(folder: string): Promise<SshServer> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const host = utils.generateKeyPairSync('ed25519');
  const user = utils.generateKeyPairSync('ed25519');
  const identityFile = join(folder, 'id_ed25519');
  await writeFile(identityFile, user.private, { mode: 0o600 });
  const allowed = utils.parseKey(user.public) as ParsedKey;
  const sessions: SshServer['sessions'] = [];
  const children = new Set<ChildProcess>();
  const sockets = new Set<Socket>();
  const ssh = new Server({ hostKeys: [host.private] }, (connection) => {
    // Cut connections end in an error: that is what they are for.
    connection.on('error', () => {});
    connection.on('authentication', (context) => authenticate(context, allowed));
    connection.on('ready', () => {
      serveForwards(connection);
      connection.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          const child = run(command, acceptExec(), home, sessions);
          children.add(child);
          child.on('exit', () => children.delete(child));
        });
      });
    });
  });
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await listening(listener);
  const { port } = listener.address() as AddressInfo;
  const knownHostsFile = join(folder, 'known_hosts');
  await writeFile(knownHostsFile, `[127.0.0.1]:${port} ${host.public.split(' ').slice(0, 2).join(' ')}\n`);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    identityFile,
    knownHostsFile,
    home,
    sessions,
    cut,
    async stop() {
      for (const child of children) kill(child);
      cut();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}

function authenticate(context: AuthContext, allowed: ParsedKey): void {
  if (context.method !== 'publickey') {
    context.reject(['publickey']);
    return;
  }
  const sameKey = context.key.data.equals(allowed.getPublicSSH());
  const { signature, blob } = context;
  const proven = !signature || !blob || allowed.verify(blob, signature, context.hashAlgo) === true;
  if (sameKey && proven) context.accept();
  else context.reject(['publickey']);
}

function run(
  command: string,
  channel: ServerChannel,
  home: string,
  sessions: SshServer['sessions'],
): ChildProcess {
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home },
    // Its own group, so that all of it can be ended.
    detached: true,
  });
  const session = { command, stdin: '', pid: child.pid };
  sessions.push(session);
  const stdin = new PassThrough();
  stdin.on('data', (chunk: Buffer) => {
    session.stdin += chunk.toString();
  });
  channel.pipe(stdin).pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  for (const stream of [child.stdin, channel]) stream.on('error', () => {});
  channel.on('close', () => {
    // sshd closes its ends; the process itself it leaves alone.
    child.stdin.end();
    child.stdout.destroy();
    child.stderr.destroy();
  });
  child.on('close', (code) => {
    if (channel.destroyed) return;
    channel.exit(code ?? 255);
    channel.end();
  });
  return child;
}

/** The reverse forwarding (-R): listens here, and hands what comes back through the connection. */
function serveForwards(connection: Connection): void {
  const listeners: NetServer[] = [];
  connection.on('request', (accept, reject, name, info) => {
    if (name !== 'tcpip-forward' || !('bindPort' in info)) {
      reject?.();
      return;
    }
    const listener = createServer((socket) => {
      socket.on('error', () => {});
      const { port } = listener.address() as AddressInfo;
      connection.forwardOut(
        info.bindAddr,
        port,
        socket.remoteAddress ?? '',
        socket.remotePort ?? 0,
        (error, channel) => {
          if (error) {
            socket.destroy();
            return;
          }
          channel.on('error', () => socket.destroy());
          channel.on('close', () => socket.destroy());
          socket.pipe(channel).pipe(socket);
        },
      );
    });
    listeners.push(listener);
    listener.on('error', () => reject?.());
    listener.listen(info.bindPort, '127.0.0.1', () => accept?.((listener.address() as AddressInfo).port));
  });
  connection.on('close', () => {
    for (const listener of listeners) listener.close();
  });
}

async function listening(server: NetServer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}

function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
