export interface Sample {
  key: string;
  name: string;
  about: string;
  text: string;
}

/** Starting points for the editor: the two formats, each with a DAG that is useful as it stands. */
export const SAMPLES: readonly Sample[] = [
  {
    key: 'capture',
    name: 'Capture the workload (YAML)',
    about: 'Records what the primary is asked for a while.',
    text: `name: capture
version: "1"
description: Record what the primary is asked.

parameters:
  seconds:
    type: integer
    default: 60
    description: How long to record

commands:
  - command_name: worker
    command_type: LAUNCH_PRIMARY_WORKER
    parent_command_names: []
    config: {}

  - command_name: capture
    command_type: CAPTURE_PRIMARY_WORKLOAD
    parent_command_names: [worker]
    config:
      time_period: \${{ parameters.seconds }}
`,
  },
  {
    key: 'clone',
    name: 'Copy and inspect (JSON)',
    about: 'Makes an exploratory copy, reads its catalog, and takes the copy away.',
    text: `[
  {
    "command_name": "worker",
    "command_type": "LAUNCH_EXPLORATORY_WORKER",
    "parent_command_names": [],
    "config": {}
  },
  {
    "command_name": "clone",
    "command_type": "LAUNCH_EXPLORATORY_POSTGRES",
    "parent_command_names": ["worker"],
    "config": { "snapshot": true }
  },
  {
    "command_name": "catalog",
    "command_type": "COLLECT_DATA_FROM_EXPLORATORY",
    "parent_command_names": ["clone"],
    "config": {
      "target": "clone",
      "data_collector_type": "CATALOG",
      "data_collector_config": {}
    }
  },
  {
    "command_name": "stop",
    "command_type": "STOP_EXPLORATORY_POSTGRES",
    "parent_command_names": ["catalog"],
    "config": { "launch_command": "clone" },
    "cleanup": true
  }
]
`,
  },
];
