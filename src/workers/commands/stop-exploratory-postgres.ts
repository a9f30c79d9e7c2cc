import { z } from 'zod';
import { defineCommandType } from '../../dag/index.js';
import { dropClone } from '../../postgres/index.js';
import { cloneIdOf } from '../clone-id.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import { assertOurs, launchType } from './clones.js';
import { commandName } from './schemas.js';

const config = z.strictObject({
  launch_command: commandName.describe('The LAUNCH_EXPLORATORY_POSTGRES command that made it'),
});
const output = z.object({ stopped: z.boolean(), freed_bytes: z.number(), note: z.string().optional() });

type Config = z.infer<typeof config>;
type Output = z.infer<typeof output>;

export const stopExploratoryPostgres: WorkerCommand<Config, Output> = {
  type: defineCommandType<Config, Output>({
    type: 'STOP_EXPLORATORY_POSTGRES',
    summary: 'Stops an exploratory PostgreSQL of this run and deletes its files.',
    place: 'exploratory',
    config,
    output,
    defaultTimeoutMs: 10 * 60_000,
    onWorkerLost: 'retry',
    references: ({ launch_command }) => [
      { path: 'launch_command', command: launch_command, types: [launchType] },
    ],
  }),
  run: stop,
};

/**
 * What is stopped is found by the run and the command that launched it, never by a port or a folder that a config
 * names; dropClone then insists on our marker. Stopping twice is as good as once.
 */
async function stop({ launch_command }: Config, context: CommandContext): Promise<Output> {
  const registered = context.clones.find(({ command }) => command === launch_command);
  if (registered) assertOurs(context, registered);
  const id = cloneIdOf(`${context.runId}/${launch_command}`);
  context.progress({ phase: 'stopping' });
  const { freedBytes } = await dropClone(context.root, id);
  await context.cloneRegistry.stopped(id);
  if (!registered && freedBytes === 0) {
    return {
      stopped: false,
      freed_bytes: 0,
      note: `there was nothing to stop: ${launch_command} has no clone here`,
    };
  }
  return { stopped: true, freed_bytes: freedBytes };
}
