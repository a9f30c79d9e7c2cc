export { addAttempt, addRun, addWorker, dagOf } from './rows.js';
export { startTestControl, type TestControl, testActor } from './test-control.js';
