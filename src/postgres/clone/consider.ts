import { join } from 'node:path';
import type pg from 'pg';
import { replicationBarrier } from '../backup/base-backup-tool.js';
import { canReflink } from '../backup/copy-files.js';
import { findLocalSource, type LocalSource } from '../backup/local-source.js';
import type { ServerInfo } from '../describe-server.js';
import type { Installation } from '../installations.js';
import { considerTemplate, type TemplatePlan } from './template.js';
import type { CloneMethod, CloneRequest, ConsideredMethod } from './types.js';

export interface BackupPlan {
  /** Runs the copy: the same major version as the source. */
  installation: Installation;
  way: { tool: 'pg_basebackup'; installation: Installation } | { tool: 'file copy'; source: LocalSource };
}

export interface DumpPlan {
  installation: Installation;
  tools: Installation;
}

/** What is possible, with what each method needs to be carried out. */
export interface Plans {
  considered: ConsideredMethod[];
  backup?: BackupPlan;
  dump?: DumpPlan;
  template?: TemplatePlan;
}

interface Context {
  request: CloneRequest;
  client: pg.ClientBase;
  info: ServerInfo;
  installations: Installation[];
  /** The clone's own folder, to try there what the file system can do. */
  folder: string;
}

type Finding<T> = { why: string; plan?: T };

/** Looks at every method, so that a choice can be explained, and a refusal too. */
export async function considerMethods(context: Context): Promise<Plans> {
  const backup = await considerBackup(context);
  const dump = considerDump(context);
  const template = await considerTemplate(context.request, context.client, context.info);
  const row = (method: CloneMethod, finding: Finding<unknown>): ConsideredMethod => ({
    method,
    possible: finding.plan !== undefined,
    why: finding.why,
  });
  return {
    considered: [
      row('backup', backup),
      row('dump', dump),
      row('template', template),
      { method: 'empty', possible: true, why: 'a new cluster, with nothing of the source in it' },
    ],
    ...(backup.plan && { backup: backup.plan }),
    ...(dump.plan && { dump: dump.plan }),
    ...(template.plan && { template: template.plan }),
  };
}

async function considerBackup({
  request,
  client,
  info,
  installations,
  folder,
}: Context): Promise<Finding<BackupPlan>> {
  const installation = installations.find(({ major }) => major === info.major);
  if (!installation)
    return { why: `a physical copy runs only with PostgreSQL ${info.major}, which is not installed here` };
  const source = await findLocalSource(client, info);
  const copy = 'why' in source ? undefined : ({ tool: 'file copy', source } as const);
  const copyBarrier = 'why' in source ? source.why : undefined;
  if (request.tool === 'file copy') {
    return copy
      ? { why: 'the data directory is on this host and can be copied', plan: { installation, way: copy } }
      : { why: copyBarrier! };
  }
  if (
    copy &&
    request.tool === undefined &&
    (await canReflink(join(copy.source.dataDirectory, 'PG_VERSION'), folder))
  ) {
    return {
      why: 'the data directory is on this host, and the file system shares its blocks with the copy',
      plan: { installation, way: copy },
    };
  }
  const tools = installations.filter(({ major, tools }) => major >= info.major && tools.pg_basebackup).at(-1);
  const barrier = tools
    ? await replicationBarrier(request.source!.url, client, info)
    : `there is no pg_basebackup of version ${info.major} or later here`;
  if (barrier === undefined) {
    return {
      why: `pg_basebackup ${tools!.version} can copy the whole cluster over the replication protocol`,
      plan: { installation, way: { tool: 'pg_basebackup', installation: tools! } },
    };
  }
  if (request.tool === 'pg_basebackup') return { why: barrier };
  if (copy)
    return {
      why: `the data directory is on this host and can be copied (${barrier})`,
      plan: { installation, way: copy },
    };
  return { why: `${barrier}; and for a file copy: ${copyBarrier}` };
}

/** The oldest server that is new enough, with tools that are no newer than it. */
function considerDump({ info, installations }: Context): Finding<DumpPlan> {
  const enough = installations.filter(({ major }) => major >= info.major).reverse();
  const withTools = enough.filter(({ tools }) => tools.pg_dump && tools.pg_restore);
  for (const installation of enough) {
    const tools = withTools.find(({ major }) => major <= installation.major);
    if (!tools) continue;
    return {
      why: `pg_dump ${tools.version} can copy one database into PostgreSQL ${installation.version}`,
      plan: { installation, tools },
    };
  }
  const lacking = withTools.length === 0 ? 'pg_dump and pg_restore' : 'a server';
  return { why: `there is no ${lacking} of version ${info.major} or later here` };
}
