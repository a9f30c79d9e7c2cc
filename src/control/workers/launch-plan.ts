import type { WorkerRow } from '../../store/index.js';

export interface SshPlan {
  how: 'ssh';
  host: string;
  user?: string;
  port?: number;
  identityFile?: string;
  ottoPath: string;
  root: string;
  knownHostsFile?: string;
}

/** How a worker is started; kept with its row, so that another control plane can start it again. Never a secret. */
export type LaunchPlan = { how: 'local'; root: string } | SshPlan;

export interface CommandLine {
  program: string;
  args: string[];
}

/** How long a launched worker looks for a control plane when it has nothing in hand. */
const orphanTimeout = '60s';

function workerArgs(row: Pick<WorkerRow, 'id' | 'kind' | 'name'>, root: string): string[] {
  const flags = ['--id', row.id, '--name', row.name, '--root', root, '--orphan-timeout', orphanTimeout];
  return ['worker', row.kind, ...flags, '--from-stdin'];
}

export function localCommandLine(
  row: Pick<WorkerRow, 'id' | 'kind' | 'name'>,
  root: string,
  options: { ottoCommand: readonly string[]; flags: readonly string[] },
): CommandLine {
  const [program, ...first] = options.ottoCommand;
  return { program: program!, args: [...first, ...workerArgs(row, root), ...options.flags] };
}

/**
 * The worker reaches us through the SSH connection itself: nothing of ours need listen on the network. The port at its
 * end is chosen there, so that workers do not get in each other's way; ssh writes it into `logFile`.
 */
export function sshCommandLine(
  row: Pick<WorkerRow, 'id' | 'kind' | 'name'>,
  plan: SshPlan,
  options: { host: string; port: string; logFile: string },
): CommandLine {
  const known = plan.knownHostsFile && {
    UserKnownHostsFile: quoted(plan.knownHostsFile),
    GlobalKnownHostsFile: 'none',
    UpdateHostKeys: 'no',
  };
  const settings = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    ...known,
    ExitOnForwardFailure: 'yes',
    ConnectTimeout: '15',
    ServerAliveInterval: '5',
    ServerAliveCountMax: '3',
    // The port that the host gave is told at this level.
    LogLevel: 'INFO',
    // A connection of its own: with that of another process it would also end.
    ControlMaster: 'no',
    ControlPath: 'none',
    ...(plan.identityFile && { IdentitiesOnly: 'yes' }),
  };
  // The remote shell starts in the home folder and would not expand a quoted tilde.
  const root = plan.root.replace(/^~\//, '');
  const remote = [plan.ottoPath, ...workerArgs(row, root)];
  return {
    program: 'ssh',
    args: [
      ...['-T', '-a', '-x', '-E', options.logFile],
      ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...(plan.identityFile ? ['-i', plan.identityFile] : []),
      ...(plan.port ? ['-p', String(plan.port)] : []),
      ...['-R', `127.0.0.1:0:${options.host}:${options.port}`, '--'],
      plan.user ? `${plan.user}@${plan.host}` : plan.host,
      // One string for the remote shell: each word quoted.
      remote.map(shellQuote).join(' '),
    ],
  };
}

/** ssh splits such a value at blanks. */
function quoted(path: string): string {
  return /\s/.test(path) ? `"${path}"` : path;
}

function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
