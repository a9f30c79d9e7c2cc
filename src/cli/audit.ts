import type { AuditView } from './api-types.js';
import { command, flag } from './command.js';
import { limitOption } from './limit.js';

export const auditCommand = () =>
  command<{ query?: string; limit: number }>({
    name: 'audit',
    summary: 'who did what, and when',
    example: 'otto audit --query token --limit 20',
    options: [flag('--query <text>', 'only entries with this in them', 'OTTO_AUDIT_QUERY'), limitOption()],
    api: true,
    async run({ options, out, api }) {
      const entries = await (await api()).list<AuditView>('/audit', { q: options.query }, options.limit);
      out.result(entries, () =>
        out.table(
          ['at', 'actor', 'action', 'subject', 'outcome'],
          entries.map((entry) => [entry.at, entry.actor, entry.action, entry.subject, entry.outcome]),
        ),
      );
    },
  });
