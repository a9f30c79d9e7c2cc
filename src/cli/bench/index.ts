import type { Command } from 'commander';
import { group } from '../command.js';
import { listCommand } from './list.js';
import { loadCommand } from './load.js';
import { runCommand } from './run.js';

export function benchGroup(): Command {
  return group('bench', 'load generators: TPC-C and YCSB', [listCommand(), loadCommand(), runCommand()]);
}
