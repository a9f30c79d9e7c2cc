import { formatIssue, InputError } from '../../base/index.js';
import type { DagIssue } from '../../dag/index.js';
import { command, repeatable } from '../command.js';
import { paramOption, readDocument, readParams } from '../documents.js';
import { printable } from '../output.js';

interface Options {
  param?: string[];
  plugin?: string[];
}

interface Report {
  file: string;
  valid: boolean;
  issues: DagIssue[];
}

export const validateCommand = () =>
  command<Options>({
    name: 'validate',
    summary: 'check DAGs without a control plane; prints every problem as file:line path message',
    example: 'otto dag validate docs/dags/sample.json docs/dags/replay.yaml',
    args: [['<files...>', 'DAGs, JSON or YAML; - is stdin']],
    options: [paramOption(), repeatable('--plugin <module>', 'module with further command types')],
    async run({ options, args, out }) {
      const { CommandTypes, validateDag } = await import('../../dag/index.js');
      const { allCommandTypes } = await import('../../workers/index.js');
      const types = new CommandTypes(await allCommandTypes(options.plugin ?? []));
      const parameters = readParams(options.param);
      const reports: Report[] = [];
      for (const file of args) {
        const { text, name } = await readDocument(file);
        const { issues } = validateDag(text, types, { name, ...(parameters && { parameters }) });
        reports.push({ file, valid: issues.length === 0, issues });
      }
      out.result({ valid: reports.every(({ valid }) => valid), files: reports }, () => {
        for (const { file, issues } of reports) {
          if (issues.length === 0) out.line(`${file}: valid`);
          for (const issue of issues) out.line(printable(lineOf(file, issue)));
        }
      });
      const count = reports.reduce((sum, { issues }) => sum + issues.length, 0);
      if (count > 0)
        throw new InputError(`${count} ${count === 1 ? 'problem' : 'problems'} found`, {
          code: 'INVALID_DAG',
        });
    },
  });

/** `file:12 commands[2].config: what is wrong`. */
function lineOf(file: string, issue: DagIssue): string {
  return `${file}${issue.line === undefined ? '' : `:${issue.line}`} ${formatIssue(issue)}`;
}
