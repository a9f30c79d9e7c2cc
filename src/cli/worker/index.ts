import type { Command } from 'commander';
import { group } from '../command.js';
import { endCommand } from './end.js';
import { listCommand } from './list.js';
import { serveCommand } from './serve.js';

export function workerGroup(): Command {
  return group('worker', 'processes that carry out commands near a database', [
    serveCommand('primary', 'work beside the primary: capture'),
    serveCommand('exploratory', 'hold exploratory copies: clone, replay, measure, collect'),
    listCommand(),
    endCommand('drain', 'let a worker finish what it does and take nothing new'),
    endCommand('stop', 'stop a worker; what it does is cancelled'),
  ]);
}
