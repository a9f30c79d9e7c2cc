export {
  ArtifactStore,
  type ArtifactStoreOptions,
  type NewArtifact,
  type StoredArtifact,
} from './artifact-store.js';
export { type Database, dbNow, json, migrate, openDatabase, openPool } from './database.js';
export { Listener } from './listener.js';
export { SecretBox } from './secrets.js';
export type * from './tables.js';
