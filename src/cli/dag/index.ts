import type { Command } from 'commander';
import { group } from '../command.js';
import { cancelCommand } from './cancel.js';
import { listCommand } from './list.js';
import { rerunCommand } from './rerun.js';
import { resumeCommand } from './resume.js';
import { runCommand } from './run.js';
import { statusCommand } from './status.js';
import { typesCommand } from './types.js';
import { validateCommand } from './validate.js';

export function dagGroup(): Command {
  return group('dag', 'DAGs of commands and their runs', [
    runCommand(),
    validateCommand(),
    statusCommand(),
    listCommand(),
    cancelCommand(),
    resumeCommand(),
    rerunCommand(),
    typesCommand(),
  ]);
}
