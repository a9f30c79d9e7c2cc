import { hostname } from 'node:os';
import { join } from 'node:path';
import { createLogger, InputError, parseDuration } from '../../base/index.js';
import type { WorkerOptions } from '../../workers/index.js';
import { command, flag, repeatable } from '../command.js';
import { readSecret } from '../secrets.js';

interface Options {
  server?: string;
  tokenFile?: string;
  id?: string;
  name?: string;
  root?: string;
  region?: string;
  allowCommand?: string[];
  tlsCa?: string;
  insecure?: boolean;
  fromStdin?: boolean;
  orphanTimeout?: string;
  cancelGrace?: string;
  plugin?: string[];
}

/** Runs a worker until it is drained (Ctrl-C), stopped (Ctrl-C twice), or no longer wanted. */
export const serveCommand = (kind: 'primary' | 'exploratory', summary: string) =>
  command<Options>({
    name: kind,
    summary,
    example: `OTTO_WORKER_TOKEN=… otto worker ${kind} --server https://otto.example.com:7443`,
    options: [
      flag('--server <url>', 'the worker address of the control plane', 'OTTO_WORKER_SERVER'),
      flag(
        '--token-file <file>',
        'file with a worker token (or OTTO_WORKER_TOKEN)',
        'OTTO_WORKER_TOKEN_FILE',
      ),
      flag('--id <id>', 'the id that the control plane gave it', 'OTTO_WORKER_ID'),
      flag('--name <name>', 'what to call it; default: the host name', 'OTTO_WORKER_NAME'),
      flag('--root <folder>', 'the only folder it writes to; default .otto/worker-KIND', 'OTTO_WORKER_ROOT'),
      flag('--region <region>', 'where it is', 'OTTO_WORKER_REGION'),
      repeatable(
        '--allow-command <program>',
        'permit COMMAND to run this program; * permits any',
        'OTTO_WORKER_ALLOW_COMMAND',
      ),
      flag(
        '--from-stdin',
        'address and token come as one JSON line on stdin: how a control plane launches workers',
        'OTTO_WORKER_FROM_STDIN',
      ),
      flag('--tls-ca <file>', 'PEM file with the certificate authority to trust', 'OTTO_WORKER_TLS_CA'),
      flag(
        '--insecure',
        'permit http:// to another host; the token travels in the clear',
        'OTTO_WORKER_INSECURE',
      ),
      flag(
        '--orphan-timeout <duration>',
        'end after this long without a control plane',
        'OTTO_WORKER_ORPHAN_TIMEOUT',
      ),
      flag(
        '--cancel-grace <duration>',
        'time for a cancelled command to clean up',
        'OTTO_WORKER_CANCEL_GRACE',
      ),
      repeatable(
        '--plugin <module>',
        'module with further command types or collectors',
        'OTTO_WORKER_PLUGIN',
      ),
    ],
    async run({ options, out }) {
      const { endPredecessor, processSignals, runWorker } = await import('../../workers/index.js');
      const { id, region, orphanTimeout, cancelGrace } = options;
      const root = options.root ?? join('.otto', `worker-${kind}`);
      const { controlUrl, token, tls, insecure, drain } = await readOrder(options);
      const signals = processSignals();
      try {
        if (options.fromStdin && id !== undefined) await endPredecessor(root, id);
        const { reason } = await runWorker({
          controlUrl,
          token,
          kind,
          ...(id !== undefined && { id }),
          name: options.name ?? hostname(),
          root,
          ...(region !== undefined && { region }),
          ...(options.allowCommand && {
            allowCommand: options.allowCommand.includes('*') ? true : options.allowCommand,
          }),
          tls,
          insecure,
          ...(orphanTimeout !== undefined && { orphanTimeoutMs: parseDuration(orphanTimeout) }),
          ...(cancelGrace !== undefined && { cancelGraceMs: parseDuration(cancelGrace) }),
          logger: createLogger({ name: `worker-${kind}` }),
          ...(options.plugin && { plugins: options.plugin }),
          drain: drain ? AbortSignal.any([signals.drain, drain]) : signals.drain,
          signal: signals.signal,
        });
        out.result({ ended: true, reason }, () => out.line(`ended: ${reason}`));
      } finally {
        signals.dispose();
      }
    },
  });

/** Whom it works for: from the flags, or from the launcher that holds its stdin. */
async function readOrder(
  options: Options,
): Promise<Pick<WorkerOptions, 'controlUrl' | 'token' | 'tls' | 'insecure' | 'drain'>> {
  if (options.fromStdin) {
    const { readLaunchOrder } = await import('../../workers/index.js');
    const { order, drain } = await readLaunchOrder(process.stdin);
    const { server, token, ca, serverName, insecure } = order;
    const tls = { ...(ca !== undefined && { ca }), ...(serverName !== undefined && { serverName }) };
    return { controlUrl: server, token, tls, insecure: insecure === true, drain };
  }
  if (options.server === undefined) {
    throw new InputError('a worker needs the address of its control plane', {
      hint: 'Give it with --server or in OTTO_WORKER_SERVER: `otto up` prints it as "workers attach".',
    });
  }
  return {
    controlUrl: options.server,
    token: await readToken(options),
    tls: options.tlsCa === undefined ? {} : { ca: options.tlsCa },
    insecure: options.insecure === true,
  };
}

async function readToken(options: Options): Promise<string> {
  const token =
    options.tokenFile === undefined
      ? process.env.OTTO_WORKER_TOKEN?.trim()
      : await readSecret(options.tokenFile);
  // What this process starts must not find it in its environment.
  delete process.env.OTTO_WORKER_TOKEN;
  if (token) return token;
  throw new InputError('a worker needs a token', {
    hint: 'Make one with `otto token create NAME --role worker`; give it in OTTO_WORKER_TOKEN or with --token-file.',
  });
}
