/** A valid envelope, for tests to break. */
export function envelope() {
  return {
    name: 'replay',
    parameters: { seconds: { type: 'integer', default: 10 } } as Record<string, unknown>,
    commands: [
      { command_type: 'LAUNCH_PRIMARY_WORKER', command_name: 'primary', parent_command_names: [] },
      { command_type: 'LAUNCH_EXPLORATORY_WORKER', command_name: 'explorer', parent_command_names: [] },
      {
        command_type: 'LAUNCH_EXPLORATORY_POSTGRES',
        command_name: 'clone-1',
        parent_command_names: ['explorer'],
        config: { snapshot: true },
      },
      {
        command_type: 'CAPTURE_PRIMARY_WORKLOAD',
        command_name: 'capture',
        parent_command_names: ['primary', 'clone-1'],
        config: { time_period: binding('parameters.seconds') },
      },
      {
        command_type: 'REPLAY_WORKLOAD',
        command_name: 'replay',
        parent_command_names: ['capture'],
        config: { capture: binding('commands.capture.output.artifact'), where: 'clone-1' },
      },
      {
        command_type: 'STOP_EXPLORATORY_POSTGRES',
        command_name: 'stop',
        parent_command_names: ['replay'],
        cleanup: true,
        config: { launch_command: 'clone-1' },
      },
    ] as Record<string, unknown>[],
  };
}

export function binding(expression: string): string {
  return `\${{ ${expression} }}`;
}
