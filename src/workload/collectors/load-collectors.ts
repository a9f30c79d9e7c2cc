import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InputError } from '../../base/index.js';
import { connect, withConnection, withDatabase } from '../../postgres/index.js';
import { type AnyCollector, defineCollector } from './collector.js';

/** What a module's `collectors` function is given, so that a plug-in needs no packages of its own. */
export interface CollectorToolkit {
  z: typeof z;
  connect: typeof connect;
  withConnection: typeof withConnection;
  withDatabase: typeof withDatabase;
  defineCollector: typeof defineCollector;
}

const toolkit: CollectorToolkit = { z, connect, withConnection, withDatabase, defineCollector };

const typeShape = /^[A-Z][A-Z0-9_]*$/;

/**
 * Imports modules and returns their collectors. A module is a path (absolute, or relative to the working directory)
 * or the name of a package; it exports `collectors`: a list, or a function that takes the toolkit and returns one. A
 * module that exports `commands` instead brings command types only.
 *
 * @throws InputError COLLECTOR_MODULE when one cannot be imported, has the wrong shape, or names a type that is taken.
 */
export async function importCollectors(
  modules: readonly string[],
  taken: Iterable<string>,
): Promise<AnyCollector[]> {
  const owners = new Map<string, string>([...taken].map((type) => [type, 'a built-in collector']));
  const loaded: AnyCollector[] = [];
  for (const name of modules) {
    for (const collector of await collectorsOf(name)) {
      const owner = owners.get(collector.type);
      if (owner) throw moduleError(name, `collector ${collector.type} is already registered by ${owner}`);
      owners.set(collector.type, name);
      loaded.push(collector);
    }
  }
  return loaded;
}

async function collectorsOf(name: string): Promise<AnyCollector[]> {
  let module: { collectors?: unknown; commands?: unknown };
  try {
    module = await import(locationOf(name));
  } catch (error) {
    throw moduleError(name, `cannot be imported: ${(error as Error).message}`, error);
  }
  let list = module.collectors;
  if (list === undefined) {
    if (module.commands !== undefined) return [];
    throw moduleError(name, 'exports neither `collectors` nor `commands`');
  }
  if (typeof list === 'function') {
    try {
      list = await list(toolkit);
    } catch (error) {
      throw moduleError(name, `its \`collectors\` function failed: ${(error as Error).message}`, error);
    }
  }
  if (!Array.isArray(list))
    throw moduleError(name, '`collectors` is neither a list nor a function that returns one');
  return list.map((candidate, i) => checkShape(name, candidate, i));
}

/** A package is looked up from the working directory, where the user installed it, not from ours. */
function locationOf(name: string): string {
  if (name.startsWith('.') || isAbsolute(name)) return pathToFileURL(resolve(name)).href;
  return pathToFileURL(createRequire(pathToFileURL(resolve('package.json'))).resolve(name)).href;
}

function checkShape(module: string, candidate: unknown, index: number): AnyCollector {
  const collector = (candidate ?? {}) as Record<string, unknown>;
  const issues: { path: string; message: string }[] = [];
  const expect = (key: string, fits: boolean, expected: string) => {
    if (!fits) issues.push({ path: `collectors[${index}].${key}`, message: `expected ${expected}` });
  };
  expect(
    'type',
    typeof collector.type === 'string' && typeShape.test(collector.type),
    'capitals, digits and underscores, such as LOCKS',
  );
  expect('summary', typeof collector.summary === 'string' && collector.summary !== '', 'a sentence');
  for (const key of ['config', 'result']) expect(key, isSchema(collector[key]), 'a schema of zod 4');
  for (const key of ['setup', 'collect', 'cleanup'])
    expect(key, typeof collector[key] === 'function', 'a function');
  expect(
    'rows',
    collector.rows === undefined || typeof collector.rows === 'function',
    'a function, or nothing',
  );
  const roles = collector.roles;
  const rolesFit =
    roles === undefined ||
    (Array.isArray(roles) && roles.every((role) => ['clone', 'replica', 'primary'].includes(role as string)));
  expect('roles', rolesFit, 'a list of clone, replica, primary, or nothing');
  if (issues.length === 0) return candidate as AnyCollector;
  const findings = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new InputError(`collector module ${module}: ${findings}`, {
    code: 'COLLECTOR_MODULE',
    where: module,
    issues,
  });
}

/** Also of another copy of zod 4 than ours. */
function isSchema(value: unknown): boolean {
  const schema = value as { safeParse?: unknown; _zod?: unknown } | null | undefined;
  return typeof schema?.safeParse === 'function' && typeof schema._zod === 'object';
}

function moduleError(module: string, finding: string, cause?: unknown): InputError {
  return new InputError(`collector module ${module}: ${finding}`, {
    code: 'COLLECTOR_MODULE',
    where: module,
    hint: 'See docs/collectors.md for what such a module looks like.',
    cause,
  });
}
