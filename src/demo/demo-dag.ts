/** Seconds of workload that the demo captures unless told otherwise. */
export const defaultCaptureSeconds = 15;

/**
 * The demo's DAG: the original's sample (workers, exploratory Postgres from a snapshot of the replica, capture, data
 * collection, stop), with a replay of the captured workload on the clone before it is stopped.
 */
export const demoDag = {
  name: 'demo',
  version: '1',
  description: 'Clone the replica, capture the live workload, replay it on the clone, collect data.',
  parameters: {
    seconds: { type: 'integer', default: defaultCaptureSeconds, description: 'How long to capture.' },
  },
  commands: [
    {
      command_name: 'launch_primary_worker',
      command_type: 'LAUNCH_PRIMARY_WORKER',
      parent_command_names: [],
    },
    {
      command_name: 'launch_exploratory_worker',
      command_type: 'LAUNCH_EXPLORATORY_WORKER',
      parent_command_names: [],
    },
    {
      command_name: 'clone',
      command_type: 'LAUNCH_EXPLORATORY_POSTGRES',
      parent_command_names: ['launch_exploratory_worker', 'launch_primary_worker'],
      config: { snapshot: true, source: 'replica', ttl: '1h' },
    },
    {
      // After the clone, and at once: what ran in between is what a replay cannot know.
      command_name: 'capture',
      command_type: 'CAPTURE_PRIMARY_WORKLOAD',
      parent_command_names: ['launch_primary_worker', 'clone'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a binding of the DAG format
      config: { time_period: '${{ parameters.seconds }}' },
    },
    {
      command_name: 'collect_catalog',
      command_type: 'COLLECT_DATA_FROM_EXPLORATORY',
      parent_command_names: ['clone'],
      config: { target: 'replica', data_collector_type: 'CATALOG', data_collector_config: {} },
    },
    {
      command_name: 'replay',
      command_type: 'REPLAY_WORKLOAD',
      parent_command_names: ['clone', 'capture'],
      config: { capture: 'capture', where: 'clone', speed: 1 },
    },
    {
      command_name: 'collect_statistics',
      command_type: 'COLLECT_DATA_FROM_EXPLORATORY',
      parent_command_names: ['replay'],
      config: { target: 'clone', data_collector_type: 'STATISTICS', data_collector_config: {} },
    },
    {
      command_name: 'stop_clone',
      command_type: 'STOP_EXPLORATORY_POSTGRES',
      parent_command_names: ['collect_catalog', 'collect_statistics'],
      cleanup: true,
      config: { launch_command: 'clone' },
    },
  ],
};
