import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CommandTypes } from '../../dag/index.js';
import { commandTypes } from './index.js';

const types = new CommandTypes(commandTypes);
const parse = (type: string, config: unknown) => types.get(type)!.config.safeParse(config);
const issues = (type: string, config: unknown) =>
  (parse(type, config).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('the built-in command types', () => {
  it('are those of the original format and ours', () => {
    expect(types.all().map(({ type }) => type)).toEqual([
      'CAPTURE_PRIMARY_WORKLOAD',
      'COLLECT_DATA_FROM_EXPLORATORY',
      'COMMAND',
      'GENERATE_WORKLOAD',
      'LAUNCH_EXPLORATORY_POSTGRES',
      'LAUNCH_EXPLORATORY_WORKER',
      'LAUNCH_PRIMARY_WORKER',
      'REPLAY_WORKLOAD',
      'RUN_BENCHMARK',
      'STOP_EXPLORATORY_POSTGRES',
    ]);
  });

  it.each([
    ['LAUNCH_PRIMARY_WORKER', {}],
    ['LAUNCH_EXPLORATORY_WORKER', {}],
    ['CAPTURE_PRIMARY_WORKLOAD', {}],
    ['CAPTURE_PRIMARY_WORKLOAD', { time_period: 10 }],
    ['CAPTURE_PRIMARY_WORKLOAD', { time_period: '2m' }],
    ['LAUNCH_EXPLORATORY_POSTGRES', {}],
    ['LAUNCH_EXPLORATORY_POSTGRES', { snapshot: true }],
    ['STOP_EXPLORATORY_POSTGRES', { launch_command: 'clone' }],
    ['LAUNCH_EXPLORATORY_WORKER', { how: 'ssh', host: 'db2', user: 'otto' }],
    ['LAUNCH_EXPLORATORY_WORKER', { how: 'running', worker: 'wrk_1' }],
  ])('%s accepts %j', (type, config) => {
    expect(issues(type, config)).toEqual([]);
  });

  it.each([
    ['CAPTURE_PRIMARY_WORKLOAD', { time_periods: 5 }, /time_periods/],
    ['CAPTURE_PRIMARY_WORKLOAD', { time_period: 'soon' }, /time_period: "soon" is not a duration/],
    ['CAPTURE_PRIMARY_WORKLOAD', { time_period: 0 }, /time_period: must be longer/],
    ['CAPTURE_PRIMARY_WORKLOAD', { redact: true }, /redact: is not available/],
    ['LAUNCH_EXPLORATORY_POSTGRES', { snapshot: true, method: 'empty' }, /method: "empty" copies nothing/],
    ['LAUNCH_EXPLORATORY_POSTGRES', { method: 'backup' }, /method: "backup" copies: it needs snapshot/],
    ['LAUNCH_EXPLORATORY_POSTGRES', { source: 'replica' }, /source: is for snapshot/],
    ['LAUNCH_EXPLORATORY_POSTGRES', { limits: { memory: 'much' } }, /limits.memory: write bytes/],
    ['STOP_EXPLORATORY_POSTGRES', {}, /launch_command/],
    // The original stopped whatever listened on the port it was given, production too.
    ['STOP_EXPLORATORY_POSTGRES', { launch_command: 'clone', port: 5432 }, /port/],
    ['COMMAND', { argv: [] }, /argv/],
    ['COMMAND', { argv: 'ls -l' }, /argv/],
    ['LAUNCH_PRIMARY_WORKER', { how: 'ssh', host: '-oProxyCommand=id' }, /host: must not start with a dash/],
    ['LAUNCH_PRIMARY_WORKER', { how: 'telepathy' }, /how/],
    ['RUN_BENCHMARK', { benchmark: 'tpcc', where: 'c', seconds: 5, duration: '5s' }, /not both/],
    ['REPLAY_WORKLOAD', { capture: 'c', where: 'd', speed: 0 }, /speed/],
  ])('%s refuses %j', (type, config, finding) => {
    expect(issues(type, config).join('\n')).toMatch(finding);
  });

  it('describe their config and output as JSON Schema', () => {
    for (const type of types.all()) {
      expect(z.toJSONSchema(type.config, { io: 'input' }), type.type).toBeTypeOf('object');
      expect(z.toJSONSchema(type.output), type.type).toBeTypeOf('object');
    }
  });

  it('name the commands that they refer to', () => {
    const references = (type: string, config: unknown) =>
      types
        .get(type)!
        .references?.(parse(type, config).data)
        .map(({ path, command }) => `${path}=${command}`);
    expect(references('STOP_EXPLORATORY_POSTGRES', { launch_command: 'a' })).toEqual(['launch_command=a']);
    expect(references('RUN_BENCHMARK', { benchmark: 'ycsb', where: 'a' })).toEqual(['where=a']);
    expect(references('REPLAY_WORKLOAD', { where: 'a', capture: 'b' })).toEqual(['where=a', 'capture=b']);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a binding of a DAG
    for (const capture of ['art_01k', '${{ commands.b.output.artifact }}']) {
      expect(references('REPLAY_WORKLOAD', { where: 'a', capture })).toEqual(['where=a']);
    }
    const collect = { data_collector_type: 'CATALOG', data_collector_config: {} };
    expect(references('COLLECT_DATA_FROM_EXPLORATORY', { ...collect, target: 'a' })).toEqual(['target=a']);
    for (const target of ['replica', 'primary', 'exploratory']) {
      expect(references('COLLECT_DATA_FROM_EXPLORATORY', { ...collect, target })).toEqual([]);
    }
  });

  it('check the config of the data collector as well', () => {
    const collect = (type: string, config: unknown) =>
      issues('COLLECT_DATA_FROM_EXPLORATORY', {
        target: 'replica',
        data_collector_type: type,
        data_collector_config: config,
      });
    expect(collect('CATALOG', {})).toEqual([]);
    expect(collect('CATALOGUE', {}).join()).toMatch(
      /data_collector_type: there is no data collector "CATALOGUE".*CATALOG/,
    );
    expect(collect('BENCHMARK', { scale: -1 }).join()).toMatch(/data_collector_config.scale/);
  });

  it('take place where they belong', () => {
    const place = (type: string, config: unknown) => {
      const { place: where } = types.get(type)!;
      return typeof where === 'function' ? where(parse(type, config).data) : where;
    };
    expect(place('CAPTURE_PRIMARY_WORKLOAD', {})).toBe('primary');
    expect(place('COMMAND', { argv: ['a'], worker: 'primary' })).toBe('primary');
    expect(place('COMMAND', { argv: ['a'] })).toBe('exploratory');
    expect(place('LAUNCH_PRIMARY_WORKER', {})).toBe('control');
  });
});
