import type { ParseResult } from 'libpg-query';

/** What a statement does to the session's transaction block. */
export type BlockEffect = 'opens' | 'closes' | 'none';

export interface StatementShape {
  /** `select`, `begin`, `copy from`, `ddl`, `multi`, `empty`, `unparsed`, … */
  kind: string;
  /** Whether a block is open after it succeeded, for the whole text; `none`: as it was before. */
  effect: BlockEffect;
  /** True where the first statement of the text opens a block: also an error later in it leaves one open. */
  beginsFirst: boolean;
}

type Tree = NonNullable<NonNullable<ParseResult['stmts']>[number]['stmt']>;

const transactionKinds: Record<string, [kind: string, effect: BlockEffect]> = {
  TRANS_STMT_BEGIN: ['begin', 'opens'],
  TRANS_STMT_START: ['begin', 'opens'],
  TRANS_STMT_COMMIT: ['commit', 'closes'],
  TRANS_STMT_ROLLBACK: ['rollback', 'closes'],
  TRANS_STMT_SAVEPOINT: ['savepoint', 'none'],
  TRANS_STMT_RELEASE: ['release', 'none'],
  TRANS_STMT_ROLLBACK_TO: ['rollback to', 'none'],
  TRANS_STMT_PREPARE: ['prepare transaction', 'closes'],
  TRANS_STMT_COMMIT_PREPARED: ['commit prepared', 'none'],
  TRANS_STMT_ROLLBACK_PREPARED: ['rollback prepared', 'none'],
};

const kinds: Record<string, string> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
  VariableSetStmt: 'set',
  VariableShowStmt: 'show',
  PrepareStmt: 'prepare',
  ExecuteStmt: 'execute',
  DeallocateStmt: 'deallocate',
  DiscardStmt: 'discard',
  DeclareCursorStmt: 'declare',
  FetchStmt: 'fetch',
  ClosePortalStmt: 'close',
  CallStmt: 'call',
  DoStmt: 'do',
  ExplainStmt: 'explain',
  VacuumStmt: 'vacuum',
  LockStmt: 'lock',
  TruncateStmt: 'truncate',
  ListenStmt: 'listen',
  UnlistenStmt: 'unlisten',
  NotifyStmt: 'notify',
  AlterSystemStmt: 'alter system',
  CheckPointStmt: 'checkpoint',
  CreateSubscriptionStmt: 'create subscription',
  AlterSubscriptionStmt: 'alter subscription',
  DropSubscriptionStmt: 'drop subscription',
  CreatedbStmt: 'create database',
  DropdbStmt: 'drop database',
  CreateTableSpaceStmt: 'create tablespace',
  DropTableSpaceStmt: 'drop tablespace',
  LoadStmt: 'load',
};

/** The shape of a parsed text. */
export function shapeOf(tree: ParseResult): StatementShape {
  const statements = (tree.stmts ?? []).flatMap(({ stmt }) => (stmt ? [shapeOfOne(stmt)] : []));
  const [first] = statements;
  if (!first) return { kind: 'empty', effect: 'none', beginsFirst: false };
  const effect = statements.reduce<BlockEffect>(
    (before, { effect }) => (effect === 'none' ? before : effect),
    'none',
  );
  return {
    kind: statements.length === 1 ? first.kind : 'multi',
    effect,
    beginsFirst: first.effect === 'opens',
  };
}

function shapeOfOne(stmt: Tree): { kind: string; effect: BlockEffect } {
  const [name, node] = Object.entries(stmt)[0] as [string, Record<string, unknown>];
  if (name === 'TransactionStmt') {
    const [kind, effect] = transactionKinds[String(node.kind)] ?? ['utility', 'none'];
    // COMMIT AND CHAIN begins the next block at once.
    return { kind, effect: node.chain === true ? 'opens' : effect };
  }
  if (name === 'CopyStmt') {
    if (node.is_program === true || node.filename) return { kind: 'copy file', effect: 'none' };
    return { kind: node.is_from === true ? 'copy from' : 'copy to', effect: 'none' };
  }
  const kind =
    kinds[name] ??
    (/^(Create|Alter|Drop|Index|View|Rename|Rule|Comment|Grant)/.test(name) ? 'ddl' : 'utility');
  return { kind, effect: 'none' };
}
