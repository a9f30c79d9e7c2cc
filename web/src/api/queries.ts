import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get, path, type Query } from './client.js';
import type {
  ArtifactDetail,
  ArtifactView,
  AuditEntry,
  CaptureView,
  ChangeView,
  CloneView,
  CollectorView,
  CommandTypeView,
  ControlPlaneView,
  Overview,
  Page,
  RowsPage,
  RunDetail,
  RunSummary,
  ScheduleView,
  Session,
  SettingView,
  TargetView,
  TokenView,
  WorkerView,
  WorkloadView,
} from './types.js';

/** Every read of the API, once. The first word of a key is the table whose change makes it stale. */
export const sessionQuery = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => get<Session>('/session', undefined, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export const overviewQuery = () =>
  queryOptions({
    queryKey: ['overview'],
    queryFn: ({ signal }) => get<Overview>('/overview', undefined, signal),
    refetchInterval: 30_000,
  });

export const targetsQuery = () =>
  queryOptions({
    queryKey: ['targets'],
    queryFn: ({ signal }) => get<Page<TargetView>>('/targets', { limit: 500 }, signal),
  });

export const targetQuery = (id: string) =>
  queryOptions({
    queryKey: ['targets', id],
    queryFn: ({ signal }) => get<TargetView>(path('targets', id), undefined, signal),
  });

export const workloadQuery = (id: string, capture?: string) =>
  queryOptions({
    queryKey: ['workload', id, capture ?? 'latest'],
    queryFn: ({ signal }) => get<WorkloadView>(path('targets', id, 'workload'), { capture }, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const settingsQuery = (id: string) =>
  queryOptions({
    queryKey: ['settings', id],
    queryFn: ({ signal }) => get<Page<SettingView>>(path('targets', id, 'settings'), undefined, signal),
    staleTime: 60_000,
  });

export const commandTypesQuery = () =>
  queryOptions({
    queryKey: ['command-types'],
    queryFn: async ({ signal }) =>
      itemsOf(await get<CommandTypeView[] | Page<CommandTypeView>>('/command-types', undefined, signal)),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const collectorsQuery = () =>
  queryOptions({
    queryKey: ['collectors'],
    queryFn: async ({ signal }) =>
      itemsOf(await get<CollectorView[] | Page<CollectorView>>('/collectors', undefined, signal)),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['runs', id],
    queryFn: ({ signal }) => get<RunDetail>(path('runs', id), undefined, signal),
  });

export const captureQuery = (id: string) =>
  queryOptions({
    queryKey: ['artifacts', 'capture', id],
    queryFn: ({ signal }) => get<CaptureView>(path('captures', id), undefined, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const artifactQuery = (id: string) =>
  queryOptions({
    queryKey: ['artifacts', 'one', id],
    queryFn: ({ signal }) => get<ArtifactDetail>(path('artifacts', id), undefined, signal),
  });

export const rowsQuery = (id: string, offset: number, limit: number) =>
  queryOptions({
    queryKey: ['artifacts', 'rows', id, offset, limit],
    queryFn: ({ signal }) => get<RowsPage>(path('artifacts', id, 'rows'), { offset, limit }, signal),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const schedulesQuery = () =>
  queryOptions({
    queryKey: ['schedules'],
    queryFn: ({ signal }) => get<Page<ScheduleView>>('/schedules', { limit: 500 }, signal),
  });

export const tokensQuery = () =>
  queryOptions({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => get<Page<TokenView>>('/tokens', { limit: 500 }, signal),
  });

export const controlPlanesQuery = () =>
  queryOptions({
    queryKey: ['control_planes'],
    queryFn: async ({ signal }) =>
      itemsOf(await get<ControlPlaneView[] | Page<ControlPlaneView>>('/control-planes', undefined, signal)),
    refetchInterval: 15_000,
  });

export const runsQuery = (filter: Query) => list<RunSummary>('runs', '/runs', filter);
export const artifactsQuery = (filter: Query) => list<ArtifactView>('artifacts', '/artifacts', filter);
export const capturesQuery = (filter: Query) => list<ArtifactView>('artifacts', '/captures', filter);
export const clonesQuery = (filter: Query) => list<CloneView>('clones', '/clones', filter);
export const workersQuery = (filter: Query) => list<WorkerView>('workers', '/workers', filter);
export const changesQuery = (filter: Query) => list<ChangeView>('changes', '/changes', filter);
export const auditQuery = (filter: Query) => list<AuditEntry>('audit', '/audit', filter, 200);

/** A list that is read page by page with the server's cursor. */
function list<T>(table: string, where: string, filter: Query, limit = 100) {
  return infiniteQueryOptions({
    queryKey: [table, 'list', where, filter],
    queryFn: ({ signal, pageParam }) =>
      get<Page<T>>(where, { ...filter, limit, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });
}

function itemsOf<T>(answer: T[] | Page<T>): T[] {
  return Array.isArray(answer) ? answer : answer.items;
}
