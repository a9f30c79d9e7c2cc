import { z } from 'zod';
import { InputError } from '../../base/index.js';
import type { CommandReference } from '../../dag/index.js';
import type { CommandContext } from '../command.js';

export const captureType = 'CAPTURE_PRIMARY_WORKLOAD';
const artifactId = /^art_[A-Za-z0-9_-]+$/;

/** A config value that names a captured workload. */
export const captureName = z
  .string()
  .min(1)
  .describe('Id of a workload artifact, or the name of a capture command of the same DAG');

/** The reference that such a value is, if it names a command. */
export function captureReference(path: string, capture: string): CommandReference[] {
  return isCommandName(capture) ? [{ path, command: capture, types: [captureType] }] : [];
}

/** The artifact that is meant: by its id, or by the name of the command of this run that made it. */
export function captureArtifact(capture: string, context: CommandContext): string {
  if (!isCommandName(capture)) return capture;
  const made = z.object({ artifact: z.string() }).safeParse(context.outputs?.[capture]);
  if (made.success) return made.data.artifact;
  throw new InputError(
    `"${capture}" is neither the id of an artifact nor a capture command of this run that succeeded`,
    {
      code: 'NO_SUCH_CAPTURE',
      hint: `Write the id of a workload artifact, or the name of a ${captureType} command before this one.`,
    },
  );
}

/** Neither an artifact's id nor a binding that becomes one. */
function isCommandName(capture: string): boolean {
  return !artifactId.test(capture) && !capture.includes('${{');
}
