import type { Command } from 'commander';
import { group } from '../command.js';
import { listCommand } from './list.js';
import { stopCommand } from './stop.js';

export function cloneGroup(): Command {
  return group('clone', 'exploratory copies', [listCommand(), stopCommand()]);
}
