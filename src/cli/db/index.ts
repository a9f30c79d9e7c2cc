import type { Command } from 'commander';
import { group } from '../command.js';
import { addCommand } from './add.js';
import { checkCommand } from './check.js';
import { listCommand } from './list.js';
import { removeCommand } from './remove.js';
import { restoreCommand } from './restore.js';
import { showCommand } from './show.js';

export function dbGroup(): Command {
  return group('db', 'targets: the databases that are driven', [
    addCommand(),
    listCommand(),
    showCommand(),
    checkCommand(),
    restoreCommand(),
    removeCommand(),
  ]);
}
