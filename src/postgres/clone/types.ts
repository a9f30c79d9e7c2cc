import type { Logger, ProgressSink } from '../../base/index.js';
import type { CloneConnection } from '../url.js';

/**
 * `backup`: a physical copy of the whole cluster, by pg_basebackup or by file copy.
 * `template`: a copy of one database within a server of ours.
 * `dump`: a logical copy of one database, by pg_dump and pg_restore.
 * `empty`: a new cluster with nothing in it.
 */
export type CloneMethod = 'backup' | 'template' | 'dump' | 'empty';
export type CloneTool = 'pg_basebackup' | 'file copy' | 'reflink' | 'CREATE DATABASE' | 'pg_dump' | 'initdb';

export interface CloneLimits {
  /**
   * Memory that the settings are sized for (shared_buffers a quarter of it), and the address space that each of its
   * processes may have, where `prlimit` is at hand. The sum over all processes is not limited.
   */
  memoryBytes?: number;
  maxConnections?: number;
  /** Processors that it may run on, where `taskset` is at hand. */
  cpuCores?: number;
  /** Settings on top of everything else. */
  settings?: Record<string, string>;
}

export interface CloneRequest {
  /** Absent only for `empty`. */
  source?: { url: string; role: 'primary' | 'replica' };
  /** `auto` never chooses `empty` where there is a source, nor `template` where the server is not a clone of ours. */
  method: 'auto' | CloneMethod;
  /** Letters, digits, `-` and `_`: the name of its folder. */
  id: string;
  /** The worker's folder: everything of the clone lies in `root`/clones/`id`. */
  root: string;
  /** What asked for it, such as `<run>/<command>`; kept in the marker. */
  key?: string;
  limits?: CloneLimits;
  /** The database of interest, and for `dump` and `template` the only one copied; default: the one of the source's URL. */
  database?: string;
  /** Of a `backup`: insist on one way. */
  tool?: 'pg_basebackup' | 'file copy';
  /** Limit of the clone's first start, recovery included; default 10 minutes. */
  startTimeoutMs?: number;
  signal?: AbortSignal;
  progress?: ProgressSink;
  logger?: Logger;
}

/** A method that was looked at: whether it can be had, and why or why not. */
export interface ConsideredMethod {
  method: CloneMethod;
  possible: boolean;
  why: string;
}

export interface CloneResult {
  method: CloneMethod;
  tool: CloneTool;
  /** Why this method, and what of the request could not be had. */
  why: string;
  considered: ConsideredMethod[];
  /** As its superuser; see `connectionUrl`. */
  connection: CloneConnection;
  version: string;
  /** WAL position at which it became writable; absent for `dump`, `template` and `empty`. */
  lsn?: string;
  /** Size of the copy, and how much of that was really written (a reflink shares the rest with its source). */
  bytes: number;
  copiedBytes: number;
  seconds: number;
  dataDirectory: string;
}

export interface CloneInfo {
  id: string;
  key?: string;
  method?: CloneMethod;
  dataDirectory: string;
  running: boolean;
  /** ISO 8601. */
  createdAt: string;
}
