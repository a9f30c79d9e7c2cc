import { useQueryClient } from '@tanstack/react-query';
import { CircleStop, FilePen, RotateCcw, SkipForward } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { path, post } from '../../api/client.js';
import { runQuery } from '../../api/queries.js';
import type { RunDetail } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Confirm } from '../../components/dialog.js';
import { ParameterFields, readParameters } from '../../components/parameters.js';
import { useToast } from '../../components/toast.js';
import { plural } from '../../lib/format.js';

type Action = 'cancel' | 'resume' | 'rerun';

/** Cancel, resume, re-run: each says first what it will do. */
export function RunActions({ run, over }: { run: RunDetail; over: boolean }) {
  const [asked, setAsked] = useState<Action>();
  const [texts, setTexts] = useState<Record<string, string>>({});
  const queries = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const resumable = over && run.state !== 'SUCCEEDED';
  const cleanups = run.commands.filter((command) => command.cleanup);
  const running = run.commands.filter((command) => command.state === 'RUNNING');
  const again = run.commands.filter((command) => command.state !== 'SUCCEEDED');
  const kept = run.commands.length - again.length;

  const call = async (action: Action, body?: unknown): Promise<RunDetail> => {
    const result = await post<RunDetail>(path('runs', run.id, action), body);
    if (result.id === run.id) queries.setQueryData(runQuery(run.id).queryKey, result);
    void queries.invalidateQueries({ queryKey: ['runs'] });
    return result;
  };
  const ask = (action: Action) => ({
    open: asked === action,
    onOpenChange: (open: boolean) => setAsked(open ? action : undefined),
  });

  return (
    <>
      {!over && (
        <Button
          needs="operator"
          icon={<CircleStop />}
          blocked={run.cancelRequested ? 'It is being cancelled already.' : undefined}
          onClick={() => setAsked('cancel')}
        >
          Cancel
        </Button>
      )}
      {resumable && (
        <Button needs="operator" look="primary" icon={<SkipForward />} onClick={() => setAsked('resume')}>
          Resume
        </Button>
      )}
      <Button
        needs="operator"
        icon={<RotateCcw />}
        onClick={() => {
          setTexts({});
          setAsked('rerun');
        }}
      >
        Re-run
      </Button>
      <Button asChild>
        <Link to={`/runs/new?from=${run.id}`}>
          <FilePen aria-hidden="true" />
          Edit a copy
        </Link>
      </Button>

      <Confirm
        {...ask('cancel')}
        title={`Cancel ${run.name}`}
        action="Cancel the run"
        danger
        onConfirm={async () => {
          await call('cancel');
          toast.done('Cancelling. Clean-up commands still run.');
        }}
      >
        <p>
          {running.length > 0
            ? `${plural(running.length, 'command')} that ${running.length === 1 ? 'runs' : 'run'} now will be interrupted: ${names(running)}.`
            : 'No command runs now.'}{' '}
          What has not begun will not begin.
        </p>
        <p>
          {cleanups.length > 0
            ? `Clean-up still runs: ${names(cleanups)}.`
            : 'Workers and clones that it launched are stopped.'}{' '}
          A cancelled run can be resumed.
        </p>
      </Confirm>

      <Confirm
        {...ask('resume')}
        title={`Resume ${run.name}`}
        action={`Run ${plural(again.length, 'command')} again`}
        onConfirm={async () => {
          await call('resume');
          toast.done('The run goes on.');
        }}
      >
        <p>
          {kept > 0
            ? `${plural(kept, 'command')} that succeeded ${kept === 1 ? 'keeps its' : 'keep their'} output and ${kept === 1 ? 'is' : 'are'} not run again, unless what ${kept === 1 ? 'it' : 'they'} made is gone.`
            : 'No command has succeeded: all of them run again.'}
        </p>
        <p>These run again, with the same parameters: {names(again)}.</p>
      </Confirm>

      <Confirm
        {...ask('rerun')}
        title={`Re-run ${run.name}`}
        action={`Run ${plural(run.commands.length, 'command')}`}
        onConfirm={async () => {
          const parameters = { ...run.parameters, ...readParameters(run.dag.parameters, texts) };
          const next = await call('rerun', { parameters });
          toast.done('A new run was submitted.');
          await navigate(`/runs/${next.id}`);
        }}
      >
        <p>
          A new run of the same DAG starts from its first command
          {run.targetName ? `, for ${run.targetName}` : ''}. This run and what it collected stay as they are.
        </p>
        <ParameterFields
          parameters={run.dag.parameters}
          given={run.parameters}
          texts={texts}
          onChange={(name, text) => setTexts({ ...texts, [name]: text })}
        />
      </Confirm>
    </>
  );
}

const names = (commands: readonly { name: string }[]): string => {
  const shown = commands.slice(0, 6).map((command) => command.name);
  return `${shown.join(', ')}${commands.length > 6 ? ` and ${commands.length - 6} more` : ''}`;
};
