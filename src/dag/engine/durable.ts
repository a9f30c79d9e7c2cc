import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Logger } from '../../base/index.js';

/**
 * The version under which durable workflows are recorded. A process only takes over workflows of its own version, so
 * this names the shape of the workflow below, not the release.
 */
const workflowVersion = 'otto-run-1';

/** One round of a run: waits for something to happen, acts on it, says whether the run has ended. */
export interface Rounds {
  /** Claims the run; called at every (re)execution, before the first round. */
  open(runId: string): Promise<{ round(): Promise<boolean> }>;
}

export interface DurableOptions {
  databaseUrl: string;
  /** Id of this control plane: what it leaves behind is found by it. */
  executorId: string;
  logger: Logger;
}

/**
 * The durable engine (DBOS on Postgres) as the rest of the house sees it. A run is one workflow, each of its rounds
 * one checkpointed step. What a round decides is in our own rows; the engine decides who may go on with a run: a
 * process that was presumed dead and comes back cannot record another step.
 *
 * DBOS is one per process, and so is this.
 */
export class DurableEngine {
  #run: ((runId: string) => Promise<void>) | undefined;

  async launch(rounds: Rounds, options: DurableOptions): Promise<void> {
    DBOS.setConfig({
      name: 'ottopilot',
      systemDatabaseUrl: options.databaseUrl,
      systemDatabaseSchemaName: 'dbos',
      systemDatabasePoolSize: 8,
      executorID: options.executorId,
      applicationVersion: workflowVersion,
      logger: quiet(options.logger),
      enableOTLP: false,
    });
    this.#run = DBOS.registerWorkflow(
      async (runId: string) => {
        // Not a step: a process that takes over must claim the run anew, whatever was recorded.
        const session = await rounds.open(runId);
        while (!(await DBOS.runStep(() => session.round(), { name: 'round' }))) {
          // The step said that the run goes on.
        }
      },
      // A recovery is not a failure of the run: only the run's own limits end it.
      { name: 'run', maxRecoveryAttempts: 1_000_000 },
    );
    await DBOS.launch();
  }

  /** Starts the workflow of this generation of a run; a second call for the same finds the first. */
  async start(runId: string, generation: number): Promise<void> {
    if (!this.#run) throw new Error('the durable engine is not launched');
    await DBOS.startWorkflow(this.#run, { workflowID: workflowId(runId, generation) })(runId);
  }

  /** Hands the unfinished workflows of executors that are gone to whoever is alive. Returns their ids. */
  async takeOver(executorIds: string[]): Promise<string[]> {
    if (executorIds.length === 0) return [];
    const found = await DBOS.listWorkflows({
      status: ['PENDING', 'ENQUEUED'],
      executorId: executorIds,
      loadInput: false,
    });
    const ids = found.map((workflow) => workflow.workflowID);
    if (ids.length > 0) await DBOS.resumeWorkflows(ids);
    return ids;
  }

  /** Whether a workflow of this generation of a run exists and has not ended. */
  async isActive(runId: string, generation: number): Promise<boolean> {
    const status = await DBOS.getWorkflowStatus(workflowId(runId, generation));
    return status !== null && ['PENDING', 'ENQUEUED', 'DELAYED'].includes(status.status);
  }

  /** Stops without waiting for runs: they are taken over, here or elsewhere. */
  async shutdown(): Promise<void> {
    await DBOS.shutdown({ deregister: true, workflowCompletionTimeoutMS: 0 });
  }
}

function workflowId(runId: string, generation: number): string {
  return `${runId}/${generation}`;
}

/** The engine's own log, one level down: its information is our debugging. */
function quiet(logger: Logger) {
  const text = (entry: unknown) => (typeof entry === 'string' ? entry : JSON.stringify(entry));
  return {
    debug: (entry: unknown) => logger.trace(text(entry)),
    info: (entry: unknown) => logger.debug(text(entry)),
    warn: (entry: unknown) => logger.debug(text(entry)),
    error: (entry: unknown) => logger.warn(entry instanceof Error ? entry.message : text(entry)),
  };
}
