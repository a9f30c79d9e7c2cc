import './editor.css';
import { CircleAlert, CircleCheck, FileText, LoaderCircle, Play } from 'lucide-react';
import { lazy, Suspense, useMemo, useRef, useState } from 'react';
import type { Dag, Issue } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { CodeEditor, type EditorHandle } from '../../components/code-editor.js';
import type { GraphCommand } from '../../components/dag/dag-graph.js';
import { Select } from '../../components/field.js';
import { useTargetOptions } from '../../components/links.js';
import { Empty, Failed, Loading, Page, Section } from '../../components/page.js';
import { plural } from '../../lib/format.js';
import { useIsSmall, useUrlState } from '../../lib/hooks.js';
import { Reference } from './reference.js';
import { RunDialog } from './run-dialog.js';
import { SAMPLES } from './samples.js';
import { useDraft, useValidation } from './use-draft.js';

const DagGraph = lazy(async () => ({
  default: (await import('../../components/dag/dag-graph.js')).DagGraph,
}));

export function EditorPage() {
  const [params, setParams] = useUrlState();
  const from = params.get('from') ?? undefined;
  const target = params.get('target') ?? '';
  const { text, change, origin } = useDraft(from);
  const validation = useValidation(text, target);
  const editor = useRef<EditorHandle>(null);
  const [running, setRunning] = useState(false);
  const [selected, setSelected] = useState<string>();
  const small = useIsSmall();
  const targets = useTargetOptions('No target');
  const result = validation.data;
  // The last graph that could be read stays while the text is being broken and mended.
  const lastDag = useRef<Dag>(undefined);
  if (result?.dag) lastDag.current = result.dag;
  const dag = result?.dag ?? lastDag.current;
  const issues = result?.issues ?? [];
  const marks = useMemo(
    () =>
      issues.flatMap((issue) =>
        issue.line === undefined ? [] : [{ line: issue.line, message: issue.message }],
      ),
    [issues],
  );
  const blocked =
    text.trim() === ''
      ? 'The document is empty.'
      : !validation.current
        ? 'It is being checked.'
        : !result?.valid
          ? `${plural(issues.length, 'finding')} must be mended first.`
          : undefined;
  const select = (name: string | undefined) => {
    setSelected(name);
    const line = name === undefined ? undefined : lineOf(text, name);
    if (line !== undefined) editor.current?.goTo(line);
  };

  return (
    <Page
      wide
      title="New run"
      crumbs={[{ text: 'Runs', to: '/runs' }]}
      about="Write a DAG of commands in JSON or YAML. It is checked as you type; nothing runs until you say so."
      actions={
        <>
          <Select
            label="Target"
            value={target}
            options={targets}
            onChange={(next) => setParams({ target: next })}
          />
          <Button
            look="primary"
            needs="operator"
            icon={<Play />}
            blocked={blocked}
            onClick={() => setRunning(true)}
          >
            Run…
          </Button>
        </>
      }
    >
      {origin.error && <Failed error={origin.error} what="The run to start from could not be read." />}
      <div className="editor-grid">
        <Section title="Document" actions={<Samples onChoose={change} />}>
          <div className="editor-box">
            <CodeEditor
              ref={editor}
              label="DAG document, JSON or YAML. Tab indents; press Escape, then Tab, to leave."
              value={text}
              onChange={change}
              marks={marks}
              describedBy="findings"
            />
          </div>
          <Findings
            issues={issues}
            valid={result?.valid}
            checking={!validation.current && text.trim() !== ''}
            error={validation.error}
            onGo={(line) => editor.current?.goTo(line)}
          />
        </Section>
        <Section
          title={dag ? dag.name : 'Preview'}
          about={
            dag
              ? `${plural(dag.commands.length, 'command')}${result?.dag ? '' : ', as last read'}`
              : undefined
          }
        >
          <div className="editor-preview">
            {dag ? (
              <Suspense fallback={<Loading rows={6} />}>
                <DagGraph
                  commands={dag.commands as GraphCommand[]}
                  selected={selected}
                  onSelect={select}
                  label={`Graph of ${dag.name}`}
                />
              </Suspense>
            ) : (
              <Empty title="No graph yet">It appears as soon as the document can be read.</Empty>
            )}
          </div>
        </Section>
      </div>
      <Reference open={!small} />
      {dag && running && (
        <RunDialog
          open={running}
          onOpenChange={setRunning}
          dag={dag}
          text={text}
          target={target}
          onTarget={(next) => setParams({ target: next })}
        />
      )}
    </Page>
  );
}

function Samples({ onChoose }: { onChoose: (text: string) => void }) {
  return (
    <span className="row row-wrap samples">
      <span className="muted">Start from</span>
      {SAMPLES.map((sample) => (
        <Button
          key={sample.key}
          size="s"
          icon={<FileText />}
          title={sample.about}
          onClick={() => onChoose(sample.text)}
        >
          {sample.name}
        </Button>
      ))}
    </span>
  );
}

interface FindingsProps {
  issues: readonly Issue[];
  valid: boolean | undefined;
  checking: boolean;
  error: Error | null;
  onGo: (line: number) => void;
}

function Findings({ issues, valid, checking, error, onGo }: FindingsProps) {
  return (
    <div id="findings" className="findings" role="status">
      {error ? (
        <p className="findings-line findings-bad">
          <CircleAlert aria-hidden="true" /> It could not be checked: {error.message}
        </p>
      ) : checking && valid === undefined ? (
        <p className="findings-line">
          <LoaderCircle aria-hidden="true" /> Checking…
        </p>
      ) : valid ? (
        <p className="findings-line findings-ok">
          <CircleCheck aria-hidden="true" /> Valid{checking ? ' so far; checking…' : '.'}
        </p>
      ) : (
        issues.length > 0 && (
          <>
            <p className="findings-line findings-bad">
              <CircleAlert aria-hidden="true" /> {plural(issues.length, 'finding')}
            </p>
            <ul>
              {issues.map((issue) => (
                <li key={`${issue.path} ${issue.message}`}>
                  <button
                    type="button"
                    className="finding"
                    disabled={issue.line === undefined}
                    onClick={() => issue.line !== undefined && onGo(issue.line)}
                  >
                    <span className="finding-line">
                      {issue.line === undefined ? '' : `line ${issue.line}`}
                    </span>
                    <span>
                      {issue.path && <code>{issue.path}</code>} {issue.message}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </>
        )
      )}
    </div>
  );
}

/** The line that gives a command its name, in either format. */
function lineOf(text: string, name: string): number | undefined {
  const index = text
    .split('\n')
    .findIndex((line) => /["']?command_name["']?\s*:/.test(line) && line.split(/["'\s,:{}]+/).includes(name));
  return index < 0 ? undefined : index + 1;
}
