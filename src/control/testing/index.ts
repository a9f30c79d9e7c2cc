export { startTestControl, type TestControl, testActor } from './test-control.js';
