import { Download, ScrollText, X } from 'lucide-react';
import { Link } from 'react-router';
import { API } from '../../api/client.js';
import type { AttemptView, CommandView, ErrorJson, RunDetail } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Elapsed } from '../../components/dag/elapsed.js';
import { Section } from '../../components/page.js';
import { Status } from '../../components/status.js';
import { Badge, Code, Facts, Id, json, ProgressBar, Time } from '../../components/values.js';
import { formatBytes, formatCount } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';
import { progressText } from './progress.js';

interface CommandPanelProps {
  run: RunDetail;
  command: CommandView;
  onClose: () => void;
}

/** All about one command. */
export function CommandPanel({ run, command, onClose }: CommandPanelProps) {
  const [params, setParams] = useUrlState();
  const draft = run.dag.commands.find((one) => one.name === command.name);
  const onlyIts = params.get('log') === command.name;
  const running = command.state === 'RUNNING';
  return (
    <aside className="command-panel" aria-label={`Command ${command.name}`}>
      <Section
        title={command.name}
        about={<span className="mono">{command.type}</span>}
        actions={<Button look="ghost" size="s" label="Close panel" icon={<X />} onClick={onClose} />}
      >
        <div className="panel-body">
          <div className="row row-wrap">
            <Status state={command.state} look="pill" />
            {command.cleanup && (
              <Badge title="Runs whatever happened before it, also on cancel">clean-up</Badge>
            )}
            <Button
              size="s"
              look="ghost"
              icon={<ScrollText />}
              aria-pressed={onlyIts}
              onClick={() => setParams({ log: onlyIts ? undefined : command.name })}
            >
              {onlyIts ? 'Log of the whole run' : 'Only its log'}
            </Button>
          </div>
          {running && command.progress && (
            <div className="stack-s">
              <p>{progressText(command.progress)}</p>
              {command.progress.total ? (
                <ProgressBar
                  value={(command.progress.done ?? 0) / command.progress.total}
                  label={`Progress of ${command.name}`}
                />
              ) : null}
            </div>
          )}
          {command.reason && <p className="muted">{command.reason}</p>}
          {command.error && <ErrorBox error={command.error} />}
          <Facts
            items={[
              ['After', command.parents.join(', ') || 'nothing: it starts the run'],
              [
                'When',
                draft && draft.when !== 'all_succeeded' ? <code key="w">{draft.when}</code> : undefined,
              ],
              ['Worker', command.workerId ? <Id key="wk" id={command.workerId} to="/workers" /> : undefined],
              ['Ready', command.readyAt ? <Time key="r" at={command.readyAt} /> : undefined],
              ['Started', command.startedAt ? <Time key="s" at={command.startedAt} /> : undefined],
              ['Ended', command.endedAt ? <Time key="e" at={command.endedAt} /> : undefined],
              ['Took (m:s)', command.startedAt ? <Elapsed key="el" command={command} /> : undefined],
              ['Attempt', command.attempt > 0 ? `${command.attempt} of ${command.maxAttempts}` : undefined],
            ]}
          />
          {command.artifacts.length > 0 && <ArtifactList command={command} />}
          {hasContent(command.output) && <Part title="Output" text={json(command.output)} open />}
          {hasContent(command.input) ? (
            <Part title="Input" text={json(command.input)} open={!hasContent(command.output)} />
          ) : (
            draft &&
            hasContent(draft.config) && <Part title="Config, as written" text={json(draft.config)} open />
          )}
          {command.attempts.length > 0 && <Attempts attempts={command.attempts} />}
        </div>
      </Section>
    </aside>
  );
}

const hasContent = (value: unknown): boolean =>
  value !== undefined && value !== null && !(typeof value === 'object' && Object.keys(value).length === 0);

function Part({ title, text, open }: { title: string; text: string; open: boolean }) {
  return (
    <details className="part" open={open}>
      <summary>{title}</summary>
      <Code label={title} text={text} />
    </details>
  );
}

function ErrorBox({ error }: { error: ErrorJson }) {
  return (
    <div className="error-box">
      <p className="mono">{error.code}</p>
      <p>{error.message}</p>
      {error.issues?.map((issue) => (
        <p key={`${issue.path}${issue.message}`}>
          <code>{issue.path}</code> {issue.message}
        </p>
      ))}
      {error.where && <p className="muted">at {error.where}</p>}
      {error.hint && <p className="error-hint">{error.hint}</p>}
    </div>
  );
}

function ArtifactList({ command }: { command: CommandView }) {
  return (
    <div className="stack-s">
      <h3 className="panel-title">Artifacts</h3>
      <ul className="panel-list">
        {command.artifacts.map((artifact) => (
          <li key={artifact.id} className="row">
            <span className="grow">
              <Link to={`/artifacts/${artifact.id}`}>{artifact.name}</Link>
              <span className="cell-sub">
                {artifact.kind} · {formatBytes(artifact.bytes)}
                {artifact.rows !== undefined && ` · ${formatCount(artifact.rows)} rows`}
              </span>
            </span>
            <Button asChild look="ghost" size="s">
              <a href={`${API}/artifacts/${encodeURIComponent(artifact.id)}/content`} download>
                <Download aria-hidden="true" />
                <span className="visually-hidden">Download {artifact.name}</span>
              </a>
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Attempts({ attempts }: { attempts: readonly AttemptView[] }) {
  return (
    <div className="stack-s">
      <h3 className="panel-title">Attempts</h3>
      <ol className="panel-list">
        {attempts.map((attempt) => (
          <li key={attempt.number}>
            <div className="row">
              <span className="faint">{attempt.number}</span>
              <Status state={attempt.state} />
              <span className="grow" />
              {attempt.startedAt && <Time at={attempt.startedAt} />}
              <span className="attempt-took">
                <Elapsed command={attempt} />
              </span>
            </div>
            {attempt.error && <p className="cell-sub">{attempt.error.message}</p>}
          </li>
        ))}
      </ol>
    </div>
  );
}
