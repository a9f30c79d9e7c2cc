import type { z } from 'zod';
import { connect } from '../../postgres/index.js';
import type { settingView } from '../schemas/target.js';

const sql = `
  select name, setting as value, unit, source, context, pending_restart as "pendingRestart",
         short_desc as description, category
  from pg_settings order by name`;

/** The knobs of a target's primary as they are now. @throws the errors of connecting. */
export async function readSettings(access: { primaryUrl: string }): Promise<z.infer<typeof settingView>[]> {
  const client = await connect(access.primaryUrl, {
    applicationName: 'ottopilot settings',
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
  });
  try {
    const { rows } = await client.query<Omit<z.infer<typeof settingView>, 'unit'> & { unit: string | null }>(
      sql,
    );
    return rows.map(({ unit, ...row }) => ({
      ...row,
      // primary_conninfo may hold a password; a viewer's eyes are not the superuser's.
      value: /conninfo$/.test(row.name) && row.value !== '' ? '[hidden]' : row.value,
      ...(unit !== null && { unit }),
    }));
  } finally {
    await client.end().catch(() => {});
  }
}
