import { join } from 'node:path';
import { createLogger, InputError } from '../base/index.js';
import { command, flag, repeatable } from './command.js';
import { usableDataFolder } from './data-folder.js';
import { wholeNumber } from './limit.js';
import { ottoCommand, webRoot } from './program.js';
import { readSecret } from './secrets.js';
import { version } from './version.js';

interface Options {
  data: string;
  databaseUrlFile?: string;
  host: string;
  port: number;
  workerPort: number;
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  insecureHttp?: boolean;
  allowedHost?: string[];
  trustProxy?: boolean;
  retentionDays?: number;
  plugin?: string[];
  allowCommand?: string[];
}

/** The control plane with API, web UI and worker listener, until Ctrl-C. */
export const upCommand = () =>
  command<Options>({
    name: 'up',
    summary: 'the control plane and its web UI',
    example: 'otto up --port 7117',
    options: [
      flag('--data <folder>', 'everything it keeps on disk').default('.otto'),
      flag(
        '--database-url-file <file>',
        'file with the URL of a PostgreSQL of yours (or OTTO_DATABASE_URL); default: an embedded one',
      ),
      flag('--host <address>', 'address to listen on').default('127.0.0.1'),
      flag('--port <port>', 'API and web UI').default(7117).argParser(wholeNumber(0, 65_535)),
      flag('--worker-port <port>', 'where workers attach').default(7118).argParser(wholeNumber(0, 65_535)),
      flag('--tls-cert <file>', 'PEM certificate; with --tls-key both listeners speak TLS'),
      flag('--tls-key <file>', 'PEM key'),
      flag('--tls-ca <file>', 'PEM authority that workers on this machine trust; default: the certificate'),
      flag(
        '--insecure-http',
        'plain HTTP on an address that others reach, as behind a proxy that speaks TLS',
      ),
      repeatable('--allowed-host <name>', 'a name under which clients reach this server'),
      flag('--trust-proxy', 'believe X-Forwarded-… headers: only behind a proxy that sets them'),
      flag('--retention-days <days>', 'how long artifacts are kept; default: for ever').argParser(
        wholeNumber(1, 36_500),
      ),
      repeatable('--plugin <module>', 'module with further command types or data collectors'),
      repeatable(
        '--allow-command <program>',
        'permit COMMAND to run this program at workers on this machine; * permits any',
      ),
    ],
    async run({ options, out, signal }) {
      const { startSystem } = await import('../server/index.js');
      const { tlsCert, tlsKey } = options;
      if ((tlsCert === undefined) !== (tlsKey === undefined)) {
        throw new InputError('--tls-cert and --tls-key belong together: one of them is missing');
      }
      const databaseUrl = options.databaseUrlFile
        ? await readSecret(options.databaseUrlFile)
        : process.env.OTTO_DATABASE_URL;
      const data = databaseUrl ? options.data : await usableDataFolder(options.data, out);
      const logger = createLogger({ name: 'otto' });
      const system = await startSystem({
        dataDirectory: data,
        ...(databaseUrl && { databaseUrl }),
        server: {
          host: options.host,
          port: options.port,
          workerPort: options.workerPort,
          ...(tlsCert && tlsKey && { tls: { certFile: tlsCert, keyFile: tlsKey } }),
          insecureHttp: options.insecureHttp === true,
          ...(options.allowedHost && { allowedHosts: options.allowedHost }),
          webRoot: webRoot(),
          trustProxy: options.trustProxy === true,
        },
        ottoCommand: ottoCommand(),
        version: version(),
        logger,
        ...(options.retentionDays !== undefined && { retentionDays: options.retentionDays }),
        ...(options.plugin && { plugins: options.plugin }),
        ...(options.allowCommand && { allowCommand: options.allowCommand }),
        ...(tlsCert && { caFile: options.tlsCa ?? tlsCert }),
      });
      const facts = {
        url: system.url,
        workerUrl: system.workerUrl,
        tokenFile: join(data, 'admin.token'),
        controlPlane: system.control.id,
      };
      out.result(facts, () => {
        out.line(`web UI and API   ${system.url}`);
        out.line(`workers attach   ${system.workerUrl}`);
        out.line(`admin token      in ${facts.tokenFile}`);
      });
      if (!signal.aborted)
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
      out.note('stopping…');
      await system.stop();
    },
  });
