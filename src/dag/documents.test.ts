import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { validateDag } from './index.js';
import { stubTypes } from './testing/stub-types.js';

const docs = new URL('../../docs/', import.meta.url);

describe('the documents that users are shown', () => {
  it('docs/dags/ are valid', async () => {
    const names = await readdir(new URL('dags/', docs));
    expect(names).toEqual(expect.arrayContaining(['sample.json', 'replay.yaml']));
    for (const name of names) {
      const text = await readFile(new URL(`dags/${name}`, docs), 'utf8');
      expect({ name, issues: validateDag(text, stubTypes()).issues }).toEqual({ name, issues: [] });
    }
  });

  it('the examples of docs/dags.md are valid', async () => {
    const page = await readFile(new URL('dags.md', docs), 'utf8');
    const examples = [...page.matchAll(/```(?:json|yaml)\n([\s\S]*?)```/g)].map(([, text]) => text!);
    expect(examples).toHaveLength(3);
    for (const example of examples) expect(validateDag(example, stubTypes()).issues).toEqual([]);
  });

  it('the slide of the original, word for word, is valid', () => {
    const node = (type: string, name: string, parents: string[], config?: object) => ({
      command_type: type,
      command_name: name,
      parent_command_names: parents,
      ...(config && { config }),
    });
    const original = [
      node('LAUNCH_PRIMARY_WORKER', 'LAUNCH_PRIMARY_WORKER_abc', []),
      node('LAUNCH_EXPLORATORY_WORKER', 'LAUNCH_EXPLORATORY_WORKER_abc', []),
      node(
        'LAUNCH_EXPLORATORY_POSTGRES',
        'LAUNCH_EXPLORATORY_POSTGRES_1',
        ['LAUNCH_EXPLORATORY_WORKER_abc'],
        {
          snapshot: false,
        },
      ),
      node('CAPTURE_PRIMARY_WORKLOAD', 'CAPTURE_PRIMARY_WORKLOAD_abc', ['LAUNCH_PRIMARY_WORKER_abc'], {
        time_period: 10,
      }),
      node(
        'COLLECT_DATA_FROM_EXPLORATORY',
        'COLLECT_DATA_FROM_EXPLORATORY_abc',
        ['LAUNCH_EXPLORATORY_POSTGRES_1'],
        {
          target: 'replica',
          data_collector_type: 'CATALOG',
          data_collector_config: { dummy: true },
        },
      ),
      node(
        'STOP_EXPLORATORY_POSTGRES',
        'STOP_EXPLORATORY_POSTGRES_2',
        ['COLLECT_DATA_FROM_EXPLORATORY_abc'],
        {
          launch_command: 'LAUNCH_EXPLORATORY_POSTGRES_1',
        },
      ),
    ];
    expect(validateDag(original, stubTypes()).issues).toEqual([]);
  });
});
