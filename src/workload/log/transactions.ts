import type { Template } from '../sql/templates.js';
import { isTransaction, type Session } from './session.js';

/**
 * Numbers the transactions of a session by following its BEGIN and COMMIT. The virtual transaction id cannot serve
 * alone: a statement that committed by itself is logged after its transaction has ended, without one.
 */
export class TransactionNumbers {
  transactions = 0;
  openAtStart = 0;

  /** A block that is open now began before the capture: its number is 0. */
  begin(session: Session): void {
    if (session.block !== undefined) session.block = 0;
  }

  /** The transaction of a statement that has just ended, and its effect on the block. */
  next(
    session: Session,
    statement: { template: Template; vxid: string; extended: boolean; failed: boolean },
  ): number {
    const { template, vxid } = statement;
    this.#followServer(session, vxid);
    const number = this.#number(session, vxid, statement.extended);
    session.lastVxid = isTransaction(vxid) ? vxid : '';
    if (number === 0 && !session.countedOpen) {
      session.countedOpen = true;
      this.openAtStart++;
    }
    session.block = statement.failed
      ? afterFailure(session.block, number, template)
      : this.#afterSuccess(session, number, template);
    if (session.block === undefined) session.blockVxid = '';
    else if (isTransaction(vxid) && session.blockVxid === '') session.blockVxid = vxid;
    return number;
  }

  /** Another virtual transaction than the block's: its end was missed (a procedure, a string of many statements). */
  #followServer(session: Session, vxid: string): void {
    if (session.block === undefined || !isTransaction(vxid)) return;
    if (session.blockVxid !== '' && session.blockVxid !== vxid) {
      session.block = undefined;
      session.blockVxid = '';
    }
  }

  #number(session: Session, vxid: string, extended: boolean): number {
    if (session.block !== undefined) return session.block;
    // Several executes before one Sync are one transaction.
    if (extended && isTransaction(vxid) && vxid === session.lastVxid) return session.lastTransaction;
    return this.#new(session);
  }

  #new(session: Session): number {
    this.transactions++;
    session.lastTransaction++;
    return session.lastTransaction;
  }

  #afterSuccess(session: Session, number: number, template: Template): number | undefined {
    if (template.effect === 'closes') return undefined;
    if (template.effect === 'none') return session.block;
    // BEGIN inside a block is only a warning; COMMIT AND CHAIN ends one block and opens the next.
    if (session.block === undefined || template.kind === 'begin') return number;
    session.blockVxid = '';
    return this.#new(session);
  }
}

function afterFailure(block: number | undefined, number: number, template: Template): number | undefined {
  // A commit that fails has rolled back. A string that began a block leaves it open, aborted.
  if (template.kind === 'commit' || template.kind === 'prepare transaction') return undefined;
  return template.kind === 'multi' && template.beginsFirst ? number : block;
}
