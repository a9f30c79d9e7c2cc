/** A setting as it stood before us. */
export interface SettingBefore {
  /** The value of its line in postgresql.auto.conf; null when there was none. */
  autoConf: string | null;
  /** The effective value and where it came from (pg_settings.source). */
  value: string;
  source: string;
}

/** A change that has been announced and not yet taken back. */
export interface OpenChange {
  id: string;
  server: 'primary' | 'replica';
  setting: string;
  before: SettingBefore;
  ours: string;
}

/** Where changes are written down before they are made, so that they can be taken back after any crash. */
export interface Journal {
  /** Durable before it resolves. */
  intend(changes: Omit<OpenChange, 'id'>[], reason: string): Promise<OpenChange[]>;
  resolve(id: string, state: 'RESTORED' | 'KEPT_THEIRS', note?: string): Promise<void>;
}

export interface Restoration {
  setting: string;
  outcome: 'RESTORED' | 'KEPT_THEIRS';
  note?: string;
}

/** A place that outranks postgresql.auto.conf for some sessions. */
export interface SettingOverride {
  setting: string;
  /** `command line` holds for all sessions; the others for those of that role, database, or both. */
  by: 'command line' | 'role' | 'database' | 'role in database';
  role?: string;
  database?: string;
  value: string;
}
