import { z } from 'zod';

/** A time, ISO 8601 in UTC. */
export const time = z.iso.datetime().describe('ISO 8601, UTC');

export const issueSchema = z
  .object({
    path: z.string().describe('Path inside the document, such as commands[2].config'),
    message: z.string(),
    line: z.number().optional().describe('Line of the text, counted from 1'),
  })
  .meta({ id: 'Issue' });

export const errorJson = z
  .object({
    code: z.string().describe('Stable, SCREAMING_SNAKE_CASE'),
    message: z.string(),
    hint: z.string().optional(),
    where: z.string().optional(),
    issues: z.array(issueSchema).optional(),
    transient: z.boolean().optional().describe('The same call may succeed later'),
  })
  .meta({ id: 'ErrorJson' });

export const errorBody = z.object({ error: errorJson }).meta({ id: 'ErrorBody' });

export const progressView = z
  .object({
    phase: z.string(),
    done: z.number().optional(),
    total: z.number().optional(),
    unit: z.string().optional().describe('bytes, rows, statements, files, seconds, trials'),
    message: z.string().optional(),
  })
  .meta({ id: 'Progress' });

/** Lists are read in pages: `next` of one page is the `cursor` of the following. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(200).optional(),
};

export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

export const idParams = z.object({ id: z.string().min(1).max(100) });

export const jsonObject = z.record(z.string(), z.unknown());
