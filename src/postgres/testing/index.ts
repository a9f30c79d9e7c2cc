export {
  startReplica,
  startTestPostgres,
  type TestPostgres,
  type TestPostgresOptions,
  testFolder,
} from './test-postgres.js';
