import { silentLogger } from '../base/index.js';
import type { Control } from '../control/index.js';
import { createApp } from './app.js';

/** The API as an OpenAPI 3.1 document, from the routes alone: no database, nothing listens. */
export async function describeApi(version: string): Promise<Record<string, unknown>> {
  const parts: Partial<Control> = { version, logger: silentLogger, listener: { on: () => () => {} } };
  const control = new Proxy(parts as Control, {
    get: (target, name, receiver) => {
      if (!(name in target))
        throw new Error(`describing the API needs no control plane, yet asks for ${String(name)}`);
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
  const { app } = await createApp(control, { port: 0, workerPort: 0 });
  try {
    return app.swagger() as unknown as Record<string, unknown>;
  } finally {
    await app.close();
  }
}
