import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, InputError, OttoError, readJson } from '../base/index.js';
import { ApiClient } from './api-client.js';
import { insteadOf } from './data-folder.js';
import type { Trust } from './https-fetch.js';
import type { Output } from './output.js';

export interface ApiOptions {
  server?: string;
  data?: string;
  tokenFile?: string;
  tlsCa?: string;
}

/** What a running control plane leaves in its data folder. */
interface ControlFile {
  url: string;
  workerUrl: string;
  pid: number;
  startedAt: string;
  caFile?: string;
  tlsName?: string;
}

/** A client of the control plane that is named, or else of the one that runs from the data folder. */
export async function connectTo(options: ApiOptions, out: Pick<Output, 'note'>): Promise<ApiClient> {
  const wanted = options.data ?? '.otto';
  const data = (await exists(join(wanted, 'control.json'))) ? wanted : insteadOf(wanted);
  const local = await readJson<ControlFile>(join(data, 'control.json'));
  const url = options.server ?? local?.url;
  if (url === undefined) {
    throw new InputError('no control plane is known', {
      code: 'NO_CONTROL_PLANE',
      hint: `Start one with \`otto up\`, or name one with --server or OTTO_SERVER. Looked for ${join(wanted, 'control.json')}.`,
    });
  }
  const origin = originOf(url);
  // The local administrator's token never goes to a server that is merely named.
  const isLocal = local !== undefined && originOf(local.url) === origin;
  const token = await readToken(options, isLocal ? join(data, 'admin.token') : undefined);
  if (
    token !== undefined &&
    origin.startsWith('http://') &&
    !/^http:\/\/(localhost|127\.|\[::1\])/.test(origin)
  ) {
    out.note(`warning: the token travels to ${origin} in the clear; use https://`);
  }
  const trust = await readTrust(options.tlsCa, isLocal ? local : undefined);
  return new ApiClient({ url: origin, ...(token !== undefined && { token }), ...(trust && { trust }) });
}

/** OTTO_TOKEN, else the file that is named, else the data folder's own. */
async function readToken(options: ApiOptions, local: string | undefined): Promise<string | undefined> {
  const given = process.env.OTTO_TOKEN?.trim();
  if (given && options.tokenFile === undefined) return given;
  const file = options.tokenFile ?? local;
  if (file === undefined) return undefined;
  try {
    const token = (await readFile(file, 'utf8')).trim();
    if (token === '') throw new InputError(`${file} holds no token`, { where: file });
    return token;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A demo control plane asks for no token and leaves none.
    if (code === 'ENOENT' && options.tokenFile === undefined) return undefined;
    if (error instanceof OttoError) throw error;
    throw new InputError(`the token file ${file} cannot be read (${code})`, { where: file, cause: error });
  }
}

/** The authority that is named, else the one of the control plane that runs from the data folder. */
async function readTrust(
  given: string | undefined,
  local: ControlFile | undefined,
): Promise<Trust | undefined> {
  const file = given ?? local?.caFile;
  if (file === undefined) return undefined;
  try {
    const ca = await readFile(file, 'utf8');
    return { ca, ...(local?.tlsName !== undefined && { serverName: local.tlsName }) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`the certificate authority ${file} cannot be read (${code})`, {
      where: file,
      cause: error,
    });
  }
}

function originOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new InputError(`"${url}" is not the URL of a control plane`, {
      hint: 'Write it as http://127.0.0.1:8080 or https://otto.example.com.',
    });
  }
  return parsed.origin;
}
