/** A position in the WAL, `16/B374D848`, as a number. */
export function parseLsn(text: string): bigint {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text);
  if (!match) throw new Error(`"${text}" is not a WAL position`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/** The number of the segment that a WAL file (24 hex digits: timeline, high, low) holds. */
export function segmentOf(fileName: string, segmentBytes: number): bigint {
  const perHigh = 0x1_0000_0000n / BigInt(segmentBytes);
  return BigInt(`0x${fileName.slice(8, 16)}`) * perHigh + BigInt(`0x${fileName.slice(16, 24)}`);
}
