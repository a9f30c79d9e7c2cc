import { OttoError } from '../../base/index.js';
import type { SshPlan } from './launch-plan.js';

/** The port at the other host that leads to us, once ssh has written it. */
export function allocatedPort(log: string): string | undefined {
  return /^Allocated port (\d+) for remote forward/m.exec(log)?.[1];
}

interface Cause {
  code: string;
  sign: RegExp;
  finding(plan: SshPlan, match: RegExpExecArray): string;
  hint(plan: SshPlan): string;
  transient?: boolean;
}

const known = (plan: SshPlan): string => plan.knownHostsFile ?? '~/.ssh/known_hosts';
const scan = (plan: SshPlan): string =>
  `ssh-keyscan${plan.port === undefined || plan.port === 22 ? '' : ` -p ${plan.port}`} ${plan.host} >> ${known(plan)}`;

/** What ssh says of itself, the telling lines first. */
const causes: Cause[] = [
  {
    code: 'SSH_HOST_KEY_CHANGED',
    sign: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for \S+ has changed/,
    finding: (plan) => `its host key is not the one in ${known(plan)}`,
    hint: (plan) =>
      `Somebody may be listening in. If the host was set up anew, remove the old key: ssh-keygen -R ${hostEntry(plan)} -f ${known(plan)}`,
  },
  {
    code: 'SSH_HOST_KEY_UNKNOWN',
    sign: /No \S+ host key is known for|Host key verification failed/,
    finding: (plan) => `its host key is not in ${known(plan)}`,
    hint: (plan) => `Add it once, and compare its fingerprint with the one the host shows: ${scan(plan)}`,
  },
  {
    code: 'SSH_IDENTITY_FILE',
    sign: /Permissions (\d+) for '([^']+)' are too open/,
    finding: (_plan, match) => `ssh refuses ${match[2]}: others can read it (mode ${match[1]})`,
    hint: (plan) => `chmod 600 ${plan.identityFile ?? 'the key'}`,
  },
  {
    code: 'SSH_IDENTITY_FILE',
    sign: /Identity file (\S+) not accessible: (.+?)\.?$/m,
    finding: (_plan, match) => `the identity file ${match[1]} cannot be read: ${match[2]}`,
    hint: () => 'Name a file that the account of the control plane can read in identity_file.',
  },
  {
    code: 'SSH_IDENTITY_FILE',
    sign: /Load key "([^"]+)": (.+?)\.?$/m,
    finding: (_plan, match) => `the identity file ${match[1]} cannot be used: ${match[2]}`,
    hint: () =>
      'It must be a private key without a passphrase, readable by the account of the control plane alone.',
  },
  {
    code: 'SSH_AUTHENTICATION',
    sign: /Permission denied \(([^)]*)\)|Too many authentication failures/,
    finding: (plan) => `it refuses ${plan.user === undefined ? 'this account' : `"${plan.user}"`}`,
    hint: (plan) =>
      `Put the public key of ${plan.identityFile ?? 'the account of the control plane'} into ~/.ssh/authorized_keys there.`,
  },
  {
    code: 'SSH_UNREACHABLE',
    sign: /Could not resolve hostname|Connection refused|Connection timed out|No route to host|Network is unreachable|Connection (closed|reset) by|kex_exchange_identification/,
    finding: () => 'it cannot be reached',
    hint: () => 'Is its SSH server up, and are host and port right?',
    transient: true,
  },
  {
    code: 'SSH_FORWARDING_REFUSED',
    sign: /remote port forwarding failed/,
    finding: () => 'its SSH server forwards no ports, and the worker reaches the control plane through one',
    hint: () =>
      'Permit it there: AllowTcpForwarding remote (or yes) in sshd_config, no "no-port-forwarding" at the key.',
  },
];

function hostEntry(plan: SshPlan): string {
  return plan.port === undefined || plan.port === 22 ? plan.host : `[${plan.host}]:${plan.port}`;
}

/**
 * Why a worker was not attached, from what ssh wrote of itself, its exit status (255 is its own, any other the remote
 * program's), and what the worker said.
 */
export function explainSsh(
  plan: SshPlan,
  ended: { status: number | null; log: string; said: string },
): OttoError {
  const where = plan.user === undefined ? plan.host : `${plan.user}@${plan.host}`;
  if (ended.status === 127 || ended.status === 126) {
    return new OttoError('OTTO_NOT_FOUND', `${where}: ${plan.ottoPath} cannot be run there: ${ended.said}`, {
      hint: 'Install Ottopilot at that host and give its program in otto_path; a login over SSH may have another PATH.',
      where,
    });
  }
  if (ended.status === 255) {
    for (const { code, sign, finding, hint, transient } of causes) {
      const match = sign.exec(ended.log);
      if (match) {
        const message = `${where}: ${finding(plan, match)} (ssh: ${lastLine(ended.log)})`;
        return new OttoError(code, message, { hint: hint(plan), where, transient: transient === true });
      }
    }
    return new OttoError('SSH_FAILED', `${where}: ${lastLine(ended.log)}`, { where, transient: true });
  }
  return new OttoError('WORKER_FAILED', `${where}: the worker ended before it was attached: ${ended.said}`, {
    where,
  });
}

function lastLine(log: string): string {
  const lines = log.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !line.startsWith('Allocated port')) ?? 'no message';
}
