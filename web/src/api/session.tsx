import { useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext } from 'react';
import { ApiError } from './client.js';
import { sessionQuery } from './queries.js';
import type { Role, Session } from './types.js';

const SessionContext = createContext<Session | undefined>(undefined);

const RANK: Record<Role, number> = { worker: -1, viewer: 0, operator: 1, admin: 2 };

export interface Permission {
  allowed: boolean;
  /** Why not, for the tooltip. */
  reason?: string;
}

/** Whether the signed-in role may do what needs `role`. */
export function usePermission(role: Role): Permission {
  const session = useContext(SessionContext);
  if (!session || RANK[session.role] >= RANK[role]) return { allowed: true };
  return { allowed: false, reason: `Needs the role ${role}; you are signed in as ${session.role}.` };
}

export const useSession = (): Session | undefined => useContext(SessionContext);

interface Gate {
  /** Shown instead of the page when there is no session. */
  login: (onDone: () => void) => ReactNode;
  waiting: ReactNode;
  failed: (error: Error, retry: () => void) => ReactNode;
  children: ReactNode;
}

/** Shows the product to those who may see it. The address stays, so that signing in leads where one was going. */
export function SessionGate({ login, waiting, failed, children }: Gate) {
  const session = useQuery(sessionQuery());
  if (session.error instanceof ApiError && session.error.status === 401) {
    return login(() => void session.refetch());
  }
  if (session.data) return <SessionContext value={session.data}>{children}</SessionContext>;
  if (session.error) return failed(session.error, () => void session.refetch());
  return waiting;
}
