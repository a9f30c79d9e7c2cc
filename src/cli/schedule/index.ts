import type { Command } from 'commander';
import { group } from '../command.js';
import { addCommand } from './add.js';
import { listCommand } from './list.js';
import { removeCommand } from './remove.js';
import { switchCommand } from './switch.js';

export function scheduleGroup(): Command {
  return group('schedule', 'DAGs that run by the clock', [
    addCommand(),
    listCommand(),
    switchCommand('enable', 'let a schedule run'),
    switchCommand('disable', 'keep a schedule, but do not run it'),
    removeCommand(),
  ]);
}
