import { z } from 'zod';
import type { CollectorInfo } from '../../control/index.js';
import type { CommandType } from '../../dag/index.js';
import type { collectorView, commandTypeView } from '../schemas/fleet.js';

export function viewCommandType(type: CommandType): z.infer<typeof commandTypeView> {
  return {
    type: type.type,
    summary: type.summary,
    place: typeof type.place === 'string' ? type.place : 'by config',
    configSchema: jsonSchemaOf(type.config, 'input'),
    outputSchema: jsonSchemaOf(type.output, 'output'),
    ...(typeof type.defaultTimeoutMs === 'number' && { defaultTimeoutMs: type.defaultTimeoutMs }),
  };
}

export function viewCollector(collector: CollectorInfo): z.infer<typeof collectorView> {
  return {
    type: collector.type,
    summary: collector.summary,
    configSchema: jsonSchemaOf(collector.config, 'input'),
  };
}

/** What JSON Schema cannot say (a transformation, a Date) becomes "anything" instead of an error. */
function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<string, unknown>;
}
