import { z } from 'zod';

const text = z.string().nullable();
const size = z.number().nullable();

export const column = z.object({
  name: z.string(),
  position: z.number(),
  type: z.string(),
  notNull: z.boolean(),
  default: text,
  generated: z.boolean(),
  identity: z.enum(['always', 'by default']).nullable(),
  collation: text,
  /** Null: the server's default. */
  statisticsTarget: z.number().nullable(),
  comment: text,
});

export const index = z.object({
  name: z.string(),
  definition: z.string(),
  method: z.string(),
  /** Key columns, then included ones; null stands for an expression. */
  columns: z.array(text),
  keyColumns: z.number(),
  unique: z.boolean(),
  primary: z.boolean(),
  /** False for one whose concurrent build failed. */
  valid: z.boolean(),
  predicate: text,
  constraint: text,
  sizeBytes: size,
});

export const constraint = z.object({
  name: z.string(),
  type: z.enum(['primary key', 'foreign key', 'unique', 'check', 'exclusion', 'not null', 'trigger']),
  definition: z.string(),
  validated: z.boolean(),
  /** The table a foreign key refers to, qualified. */
  references: text,
});

export const relation = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['table', 'partitioned table', 'view', 'materialized view', 'foreign table', 'sequence']),
  persistence: z.enum(['permanent', 'unlogged', 'temporary']),
  owner: z.string(),
  /** The planner's estimate; null when the relation was never vacuumed or analyzed. */
  rowsEstimate: z.number().nullable(),
  /** With TOAST and indexes; null where it could not be measured. */
  totalBytes: size,
  /** The main fork only. */
  heapBytes: size,
  options: z.array(z.string()),
  /** Set by ALTER TABLE … INHERIT and for partitions, qualified. */
  parents: z.array(z.string()),
  partitionKey: text,
  partitionBound: text,
  foreignServer: text,
  extension: text,
  viewDefinition: text,
  comment: text,
  columns: z.array(column),
  indexes: z.array(index),
  constraints: z.array(constraint),
});

export const database = z.object({
  name: z.string(),
  owner: z.string(),
  encoding: z.string(),
  collation: z.string(),
  tablespace: z.string(),
  sizeBytes: size,
  /** Why there is nothing below, where there is nothing below. */
  skipped: text,
  extensions: z.array(z.object({ name: z.string(), version: z.string(), schema: z.string() })),
  schemas: z.array(z.object({ name: z.string(), owner: z.string(), comment: text })),
  relations: z.array(relation),
});

export const catalog = z.object({ databases: z.array(database) });

export type Relation = z.infer<typeof relation>;
export type Database = z.infer<typeof database>;
export type Catalog = z.infer<typeof catalog>;
