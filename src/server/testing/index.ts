export { SseClient, type SseMessage } from './sse-client.js';
export { type Answer, type CallOptions, call, startTestServer, type TestServer } from './test-server.js';
