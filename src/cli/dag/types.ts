import { InputError } from '../../base/index.js';
import type { CommandType } from '../../dag/index.js';
import { command, repeatable } from '../command.js';

export const typesCommand = () =>
  command<{ plugin?: string[] }>({
    name: 'types',
    summary: 'command types; with a name, what its config and output are (JSON Schema)',
    example: 'otto dag types CAPTURE_PRIMARY_WORKLOAD',
    args: [['[type]', 'one command type']],
    options: [repeatable('--plugin <module>', 'module with further command types')],
    async run({ options, args, out }) {
      const { z } = await import('zod');
      const { allCommandTypes } = await import('../../workers/index.js');
      const viewOf = ({ type, summary, place, config, output }: CommandType) => ({
        type,
        summary,
        place: placeOf(place),
        configSchema: z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' }),
        outputSchema: z.toJSONSchema(output, { unrepresentable: 'any' }),
      });
      const types = await allCommandTypes(options.plugin ?? []);
      types.sort((a, b) => a.type.localeCompare(b.type));
      const [wanted] = args;
      if (wanted === undefined) {
        out.result(types.map(viewOf), () =>
          out.table(
            ['type', 'place', ''],
            types.map(({ type, place, summary }) => [type, placeOf(place), summary]),
          ),
        );
        return;
      }
      const type = types.find((each) => each.type === wanted);
      if (!type) {
        throw new InputError(`there is no command type "${wanted}"`, {
          hint: `There are: ${types.map((each) => each.type).join(', ')}.`,
        });
      }
      const view = viewOf(type);
      out.result(view, () => {
        out.facts([
          ['type', type.type],
          ['does', type.summary],
          ['place', view.place],
        ]);
        out.line(`\nconfig\n${JSON.stringify(view.configSchema, null, 2)}`);
        out.line(`\noutput\n${JSON.stringify(view.outputSchema, null, 2)}`);
      });
    },
  });

function placeOf(place: CommandType['place']): string {
  return typeof place === 'function' ? 'by config' : place;
}
