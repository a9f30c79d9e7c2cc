import type { Command } from 'commander';
import { group } from '../command.js';
import { createCommand } from './create.js';
import { listCommand } from './list.js';
import { revokeCommand } from './revoke.js';

export function tokenGroup(): Command {
  return group('token', 'who may use the API', [createCommand(), listCommand(), revokeCommand()]);
}
