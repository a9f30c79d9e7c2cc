import { pino } from 'pino';

export type Logger = pino.Logger;

/** Keys whose values never reach a log, at any depth up to three. */
const secretKeys = ['password', 'token', 'secret', 'authorization', 'cookie', 'url', 'databaseUrl', 'key'];

/** The program's logger: JSON lines on stderr, secrets censored. Level from `OTTO_LOG` (default `info`). */
export function createLogger(options: { name: string; level?: string }): Logger {
  return pino(
    {
      name: options.name,
      level: options.level ?? process.env.OTTO_LOG ?? 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[hidden]' },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });

/** A connection string with its password masked, safe to print. */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/i, '$1:***@').replace(/(password=)[^&\s]+/gi, '$1***');
}
