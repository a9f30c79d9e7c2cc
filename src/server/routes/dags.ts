import { z } from 'zod';
import type { Control } from '../../control/index.js';
import { type Api, answers } from '../api.js';
import { collectorView, commandTypeView } from '../schemas/fleet.js';
import { submitBody, validation } from '../schemas/run.js';
import { viewCollector, viewCommandType } from '../views/command-types.js';

const tags = ['dags'];

export function dagRoutes(app: Api, control: Control): void {
  app.get(
    '/command-types',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What a DAG may consist of, with the schema of each config',
        response: answers(200, z.array(commandTypeView)),
      },
    },
    async () => control.commandTypes.all().map(viewCommandType),
  );

  app.get(
    '/collectors',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'Data collectors', response: answers(200, z.array(collectorView)) },
    },
    async () => control.collectors.map(viewCollector),
  );

  app.post(
    '/dags/validate',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Every issue of a DAG at once; stores nothing',
        body: submitBody,
        response: answers(200, validation),
      },
    },
    async (request) => {
      const { document, ...options } = request.body;
      const { dag, issues } = control.runs.validate(document, options);
      return { valid: dag !== undefined && issues.length === 0, issues, ...(dag && { dag }) };
    },
  );
}
