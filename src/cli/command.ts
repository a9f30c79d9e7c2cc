import { Command, Option } from 'commander';
import type { ApiClient } from './api-client.js';
import { type ApiOptions, connectTo } from './locate.js';
import { Output } from './output.js';

/** What a command gets to work with. */
export interface Call<Options> {
  options: Options;
  /** In the order of the declaration; variadic ones are appended. */
  args: string[];
  out: Output;
  /** Aborted by the first Ctrl-C. A command that never reads it is ended by Ctrl-C at once. */
  readonly signal: AbortSignal;
  /** The control plane: the one named, or the one that the data folder knows. */
  api(): Promise<ApiClient>;
}

export interface CommandSpec<Options> {
  name: string;
  summary: string;
  /** A command line that works, shown by --help. */
  example: string;
  /** `<run>`, `[url]`, `<files...>` with a description each. */
  args?: [name: string, description: string][];
  options?: Option[];
  /** Adds --server, --data, --token-file and --tls-ca. */
  api?: boolean;
  run(call: Call<Options>): Promise<void>;
}

/** A flag with its environment variable: `--cancel-grace` reads OTTO_CANCEL_GRACE unless told otherwise. */
export function flag(flags: string, description: string, variable?: string): Option {
  const option = new Option(flags, description);
  return option.env(variable ?? `OTTO_${option.name().replaceAll('-', '_').toUpperCase()}`);
}

export function command<Options>(spec: CommandSpec<Options>): Command {
  const made = new Command(spec.name).description(spec.summary);
  for (const [name, description] of spec.args ?? []) made.argument(name, description);
  for (const option of spec.options ?? []) made.addOption(option);
  if (spec.api) {
    made.addOption(
      flag('--server <url>', 'the control plane; default: the one running from the data folder'),
    );
    made.addOption(flag('--data <folder>', 'the data folder of `otto up`').default('.otto'));
    made.addOption(flag('--token-file <file>', 'file with the token (or OTTO_TOKEN)'));
    made.addOption(flag('--tls-ca <file>', 'PEM file with the certificate authority to trust'));
  }
  made.addOption(flag('--json', 'one JSON document on stdout (JSON lines where it streams)'));
  made.addHelpText('after', `\nExample:\n  ${spec.example}`);
  made.action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command;
    const options = readOptions(self) as Options & ApiOptions & { json?: boolean };
    const out = new Output({ json: options.json === true });
    let controller: AbortController | undefined;
    await spec.run({
      options,
      args: self.args,
      out,
      get signal() {
        controller ??= abortOnInterrupt();
        return controller.signal;
      },
      api: async () => await connectTo(options, out),
    });
  });
  return made;
}

/** A group of commands, such as `otto dag`. */
export function group(name: string, summary: string, commands: Command[]): Command {
  const made = new Command(name).description(summary);
  for (const one of commands) made.addCommand(one);
  return made;
}

/** Collects a flag that may be given several times. */
export function repeatable(flags: string, description: string, variable?: string): Option {
  return flag(flags, `${description}; may be repeated`, variable).argParser(
    (value: string, before: string[] | undefined) => [...(before ?? []), value],
  );
}

/** The options of a call. A switch that an environment variable sets to `0` or `false` is off. */
function readOptions(self: Command): Record<string, unknown> {
  const options: Record<string, unknown> = { ...self.opts() };
  for (const option of self.options) {
    const name = option.attributeName();
    if (!option.isBoolean() || self.getOptionValueSource(name) !== 'env') continue;
    if (/^(0|false|no|off|)$/i.test(process.env[option.envVar ?? ''] ?? '')) delete options[name];
  }
  return options;
}

/** The first Ctrl-C (or SIGTERM) aborts, the second ends the process. */
function abortOnInterrupt(): AbortController {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new DOMException('interrupted', 'AbortError'));
    });
  }
  return controller;
}
