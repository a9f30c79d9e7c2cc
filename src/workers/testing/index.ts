export { aborted, testCommand } from './commands.js';
export { type TestContext, testContext } from './context.js';
export { type Attachment, type GatewayScript, type Incoming, TestGateway } from './gateway.js';
export { startTestWorker, type TestWorker } from './worker.js';
