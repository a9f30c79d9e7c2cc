export { type DemoOptions, type RunningDemo, runDemo } from './demo.js';
export { type DemoReport, describeReport } from './demo-report.js';
