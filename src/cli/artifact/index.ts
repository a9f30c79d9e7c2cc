import type { Command } from 'commander';
import { group } from '../command.js';
import { downloadCommand } from './download.js';
import { listCommand } from './list.js';
import { showCommand } from './show.js';

export function artifactGroup(): Command {
  return group('artifact', 'what runs have stored: captures, reports, collected data', [
    listCommand(),
    showCommand(),
    downloadCommand(),
  ]);
}
