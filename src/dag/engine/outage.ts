/** Whether an error says that the database is away or full of connections: that is waited out, however long it takes. */
export function isOutage(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|ENOENT|57P|08|53)/.test(code) ||
    /connection terminated|timeout exceeded when trying to connect|not queryable/i.test(message)
  );
}
