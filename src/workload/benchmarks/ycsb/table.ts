import { alphanumerics, type Random } from '../engine/random.js';

export const fieldCount = 10;
export const fieldBytes = 100;
const fields = Array.from({ length: fieldCount }, (_, i) => `field${i}`);

/** `record_number` hands out the numbers of inserted records, so that several processes may insert at once. */
export const createTables = `
CREATE TABLE ycsb.usertable (ycsb_key text NOT NULL, ${fields.map((field) => `${field} text NOT NULL`).join(', ')});
CREATE SEQUENCE ycsb.record_number MINVALUE 0`;

export const bulkTable = {
  name: 'ycsb.usertable',
  columns: Object.fromEntries(['ycsb_key', ...fields].map((name) => [name, 'text'])),
};

export function fieldValue(random: Random): string {
  return random.text(fieldBytes, fieldBytes, alphanumerics);
}

const columns = ['ycsb_key', ...fields].join(', ');

export const sql = {
  read: { name: 'ycsb_read', text: `SELECT ${columns} FROM ycsb.usertable WHERE ycsb_key = $1` },
  scan: {
    name: 'ycsb_scan',
    text: `SELECT ${columns} FROM ycsb.usertable WHERE ycsb_key >= $1 ORDER BY ycsb_key LIMIT $2`,
  },
  nextRecord: { name: 'ycsb_next', text: `SELECT nextval('ycsb.record_number')::int AS record` },
  insert: {
    name: 'ycsb_insert',
    text: `INSERT INTO ycsb.usertable (${columns}) VALUES (${['', ...fields].map((_, i) => `$${i + 1}`).join(', ')})`,
  },
  updates: fields.map((field) => ({
    name: `ycsb_update_${field}`,
    text: `UPDATE ycsb.usertable SET ${field} = $2 WHERE ycsb_key = $1`,
  })),
};
