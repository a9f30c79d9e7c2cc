import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Control } from '../control/index.js';

/** Notes an audited call before its answer leaves: who saw it succeed can also find it in the audit. */
export async function auditCall(
  control: Control,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const rule = request.routeOptions.config.audit;
  const status = reply.statusCode;
  // A flood that is turned away at the door leaves no rows: anyone could fill the table.
  if (!rule || status === 429 || (status === 401 && rule.action !== 'session.open')) return;
  const actor = request.actor ?? { name: 'anonymous', role: 'none' as const };
  const { id } = (request.params ?? {}) as { id?: string };
  const body = request.body;
  const detail = {
    ...(typeof body === 'object' && body !== null && rule.detail?.(body as Record<string, unknown>)),
    ...(status >= 400 && { status }),
    from: request.ip,
  };
  const outcome = status < 400 ? 'done' : status === 401 || status === 403 ? 'refused' : 'failed';
  try {
    await control.audit.record(actor, rule.action, request.auditSubject ?? id ?? '', detail, outcome);
  } catch (error) {
    request.log.error(
      { err: error, action: rule.action, actor: actor.name, outcome },
      'an audit row is lost',
    );
  }
}
