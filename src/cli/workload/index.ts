import type { Command } from 'commander';
import { group } from '../command.js';
import { captureCommand } from './capture.js';
import { exportCommand } from './export.js';
import { listCommand } from './list.js';
import { showCommand } from './show.js';

export function workloadGroup(): Command {
  return group('workload', 'capture the workload of a target, look at captures', [
    captureCommand(),
    listCommand(),
    showCommand(),
    exportCommand(),
  ]);
}
