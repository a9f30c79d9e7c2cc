#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { version } from './version.js';

/** Groups are loaded when they are called, so that `otto --help` reads this file and commander alone. */
const groups: { name: string; summary: string; load: () => Promise<Command> }[] = [
  {
    name: 'demo',
    summary: 'a whole loop on an embedded PostgreSQL, under load, with the web UI',
    load: async () => (await import('./demo.js')).demoCommand(),
  },
  {
    name: 'up',
    summary: 'the control plane and its web UI',
    load: async () => (await import('./up.js')).upCommand(),
  },
  {
    name: 'db',
    summary: 'targets: the databases that are driven',
    load: async () => (await import('./db/index.js')).dbGroup(),
  },
  {
    name: 'dag',
    summary: 'DAGs of commands and their runs',
    load: async () => (await import('./dag/index.js')).dagGroup(),
  },
  {
    name: 'worker',
    summary: 'processes that carry out commands near a database',
    load: async () => (await import('./worker/index.js')).workerGroup(),
  },
  {
    name: 'workload',
    summary: 'capture the workload of a target, look at captures',
    load: async () => (await import('./workload/index.js')).workloadGroup(),
  },
  {
    name: 'bench',
    summary: 'load generators: TPC-C and YCSB',
    load: async () => (await import('./bench/index.js')).benchGroup(),
  },
  {
    name: 'schedule',
    summary: 'DAGs that run by the clock',
    load: async () => (await import('./schedule/index.js')).scheduleGroup(),
  },
  {
    name: 'clone',
    summary: 'exploratory copies',
    load: async () => (await import('./clone/index.js')).cloneGroup(),
  },
  {
    name: 'artifact',
    summary: 'what runs have stored: captures, reports, collected data',
    load: async () => (await import('./artifact/index.js')).artifactGroup(),
  },
  {
    name: 'token',
    summary: 'who may use the API',
    load: async () => (await import('./token/index.js')).tokenGroup(),
  },
  {
    name: 'audit',
    summary: 'who did what, and when',
    load: async () => (await import('./audit.js')).auditCommand(),
  },
];

async function buildProgram(argv: string[]): Promise<Command> {
  const program = new Command('otto')
    .description('A self-driving control plane for PostgreSQL.')
    .addHelpText('after', '\nExample:\n  otto dag validate docs/dags/replay.yaml')
    .version(version());
  const called = argv.find((argument) => !argument.startsWith('-'));
  // `otto help dag` is `otto dag --help`.
  const named = called === 'help' ? argv[argv.indexOf('help') + 1] : called;
  for (const { name, summary, load } of groups) {
    program.addCommand(
      name === named ? (await load()).description(summary) : new Command(name).description(summary),
    );
  }
  prepare(program);
  return program;
}

/** Wrong usage is thrown, not exited, in every command. */
function prepare(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help says more)');
  for (const child of command.commands) prepare(child);
}

async function main(argv: string[]): Promise<number> {
  try {
    const program = await buildProgram(argv);
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    // Help and version that were asked for are thrown with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { reportFailure } = await import('./report-failure.js');
    return reportFailure(error, { json: argv.includes('--json') || process.env.OTTO_JSON === '1' });
  }
}

// The durable engine still uses a calling style that its driver will drop one day: nothing a user could act on.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name === 'DeprecationWarning' && warning.message.startsWith('Calling client.query()')) return;
  process.stderr.write(`${warning.name}: ${warning.message}\n`);
});
// `otto … | head` closes our stdout: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
const status = await main(process.argv.slice(2));
// A command may have set a status of its own for a result that is no error, such as a run that failed.
if (status !== 0 || process.exitCode === undefined) process.exitCode = status;
