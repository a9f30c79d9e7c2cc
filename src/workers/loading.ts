import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InputError, OttoError, parseDuration } from '../base/index.js';
import { type CommandType, defineCommandType } from '../dag/index.js';
import { loadCollectors } from '../workload/index.js';
import type { WorkerCommand } from './command.js';
import { commandTypes, commandTypesOf, workerCommandsWith } from './commands/index.js';

/** What a module's `commands` function is given, so that a plug-in needs no packages of its own. */
export interface CommandToolkit {
  z: typeof z;
  OttoError: typeof OttoError;
  defineCommandType: typeof defineCommandType;
  parseDuration: typeof parseDuration;
}

const toolkit: CommandToolkit = { z, OttoError, defineCommandType, parseDuration };

/** Everything a worker can do: the built-in commands, knowing the data collectors of the modules, and their commands. */
export async function allCommands(modules: readonly string[]): Promise<WorkerCommand[]> {
  return [...workerCommandsWith(await loadCollectors(modules)), ...(await loadCommands(modules))];
}

/** The same as types, with those that the control plane carries out: what a DAG may be made of. */
export async function allCommandTypes(modules: readonly string[]): Promise<CommandType[]> {
  return commandTypesOf(await allCommands(modules));
}

/**
 * Command types of modules that a user names: a path (absolute, or relative to the working directory) or a package.
 * Such a module exports `commands`: an array of WorkerCommand, or a function that takes the toolkit and returns one.
 * Modules that only bring data collectors give none.
 * @throws InputError BAD_PLUGIN naming the module, for one that cannot be loaded, has another shape, or names a type
 * that is taken.
 */
export async function loadCommands(modules: readonly string[]): Promise<WorkerCommand[]> {
  const loaded = new Map<string, WorkerCommand>();
  const taken = new Set(commandTypes.map(({ type }) => type));
  for (const name of modules) {
    for (const candidate of await commandsOf(name)) {
      const command = checked(name, candidate);
      const { type } = command.type;
      if (taken.has(type) || loaded.has(type)) throw badPlugin(name, `the command type ${type} is taken`);
      loaded.set(type, command);
    }
  }
  return [...loaded.values()];
}

async function commandsOf(name: string): Promise<unknown[]> {
  let { commands } = await importModule(name);
  if (commands === undefined) return [];
  if (typeof commands === 'function') {
    try {
      commands = await commands(toolkit);
    } catch (error) {
      throw badPlugin(name, `its \`commands\` function failed: ${(error as Error).message}`, error);
    }
  }
  if (!Array.isArray(commands))
    throw badPlugin(name, '`commands` is neither an array nor a function that returns one');
  return commands;
}

async function importModule(name: string): Promise<Record<string, unknown>> {
  try {
    return (await import(locationOf(name))) as Record<string, unknown>;
  } catch (error) {
    throw badPlugin(name, `cannot be loaded: ${(error as Error).message}`, error);
  }
}

/** A package is looked up from the working directory, where the user installed it, not from ours. */
function locationOf(name: string): string {
  if (name.startsWith('.') || isAbsolute(name)) return pathToFileURL(resolve(name)).href;
  return pathToFileURL(createRequire(pathToFileURL(resolve('package.json'))).resolve(name)).href;
}

function checked(module: string, value: unknown): WorkerCommand {
  const command = value as Partial<WorkerCommand> | null;
  const type = command?.type;
  if (typeof command?.run !== 'function' || typeof type?.type !== 'string') {
    throw badPlugin(module, 'an element of `commands` has no `type` or no `run`');
  }
  if (!/^[A-Z][A-Z0-9_]*$/.test(type.type)) {
    throw badPlugin(module, `"${type.type}" is not the name of a command type: use SCREAMING_SNAKE_CASE`);
  }
  for (const schema of ['config', 'output'] as const) {
    if (typeof type[schema]?.safeParse !== 'function') {
      throw badPlugin(module, `${type.type} has no zod schema \`${schema}\``);
    }
  }
  const { place } = type;
  if (typeof place !== 'function' && place !== 'primary' && place !== 'exploratory') {
    throw badPlugin(module, `${type.type} must have place "primary" or "exploratory"`);
  }
  if (typeof type.defaultTimeoutMs !== 'number' && typeof type.defaultTimeoutMs !== 'function') {
    throw badPlugin(module, `${type.type} has no \`defaultTimeoutMs\``);
  }
  if (type.onWorkerLost !== 'retry' && type.onWorkerLost !== 'fail') {
    throw badPlugin(module, `${type.type} must have onWorkerLost "retry" or "fail"`);
  }
  return command as WorkerCommand;
}

function badPlugin(module: string, finding: string, cause?: unknown): InputError {
  return new InputError(`the plug-in ${module}: ${finding}`, {
    code: 'BAD_PLUGIN',
    where: module,
    hint: 'A command is { type: { type, summary, place, config, output, defaultTimeoutMs, onWorkerLost }, run }.',
    cause,
  });
}
