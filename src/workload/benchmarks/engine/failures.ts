/** The SQLSTATE, or the code that the driver or the system gave. */
export function sqlErrorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code !== '' ? code : 'UNKNOWN';
}

/** Serialization failure and deadlock: the server asks to try the whole transaction again. */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlErrorCode(error));
}

/** The connection is gone: the server went away (57P0x), the protocol broke (08xxx), or the socket failed. */
export function isConnectionLoss(error: unknown): boolean {
  const code = sqlErrorCode(error);
  if (/^(57P0[1-5]|08...)$/.test(code) || /^E[A-Z]+$/.test(code)) return true;
  // The driver gives no code for a connection that ended under a query.
  return code === 'UNKNOWN' && /connection (terminated|ended|error)|not queryable/i.test(String(error));
}
