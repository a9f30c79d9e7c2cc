import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestFile, newId, OttoError, type Progress, silentLogger, systemClock } from '../../base/index.js';
import type { ArtifactDraft, ArtifactRef, CommandContext } from '../command.js';
import type { RecordAction } from '../protocol.js';

export interface TestContext extends CommandContext {
  /** What the control plane would have been told, in order. */
  recorded: { action: RecordAction; body: unknown }[];
  stored: Map<string, { draft: ArtifactDraft; path: string }>;
  said: { level: string; message: string }[];
  progressed: Progress[];
  /** The JSON content of a stored artifact. */
  read(id: string): Promise<unknown>;
}

/** A command's context without a control plane: artifacts in a folder, the journal in memory. */
export function testContext(given: Partial<CommandContext> & { root?: string } = {}): TestContext {
  const root = given.root ?? '/nonexistent';
  const recorded: TestContext['recorded'] = [];
  const stored: TestContext['stored'] = new Map();
  const said: TestContext['said'] = [];
  const progressed: Progress[] = [];
  const runId = given.runId ?? 'run_test';
  const command = given.command ?? 'command';
  return {
    runId,
    command,
    attempt: 1,
    key: `${runId}/${command}`,
    workerId: 'wrk_test',
    clones: [],
    signal: new AbortController().signal,
    logger: silentLogger,
    clock: systemClock,
    log: (level, message) => said.push({ level, message }),
    progress: (progress) => progressed.push(progress),
    artifacts: {
      put: async (file, draft): Promise<ArtifactRef> => {
        const id = newId('art');
        const path = join(root, 'stored', id);
        await mkdir(join(root, 'stored'), { recursive: true });
        await copyFile(file, path);
        stored.set(id, { draft, path });
        const { kind, name, format, rows } = draft;
        return { id, kind, name, format, ...(rows !== undefined && { rows }), ...(await digestFile(path)) };
      },
      get: async (id) => {
        const found = stored.get(id);
        if (!found) throw new OttoError('NOT_FOUND', `no artifact ${id}`);
        return { path: found.path, manifest: found.draft.manifest };
      },
    },
    journal: {
      intend: async (changes, reason) => {
        recorded.push({ action: 'intend_changes', body: { changes, reason } });
        return changes.map((change) => ({ id: newId('chg'), ...change }));
      },
      resolve: async (id, state, note) => {
        recorded.push({ action: 'resolve_change', body: { id, state, note } });
      },
    },
    cloneRegistry: {
      started: async (body) => {
        recorded.push({ action: 'clone_started', body });
      },
      ready: async (body) => {
        recorded.push({ action: 'clone_ready', body });
      },
      stopped: async (id, note) => {
        recorded.push({ action: 'clone_stopped', body: { id, note } });
      },
    },
    ...given,
    root,
    recorded,
    stored,
    said,
    progressed,
    read: async (id) => JSON.parse(await readFile(stored.get(id)!.path, 'utf8')) as unknown,
  };
}
