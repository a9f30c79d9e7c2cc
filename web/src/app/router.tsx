import { createBrowserRouter } from 'react-router';
import { OverviewPage } from '../pages/overview/overview-page.js';
import { NotFound, RouteFailed, Waiting } from './route-states.js';
import { Shell } from './shell.js';

/** Every page but the first is read when it is opened. */
export const router = createBrowserRouter([
  {
    Component: Shell,
    ErrorBoundary: RouteFailed,
    HydrateFallback: Waiting,
    children: [
      {
        ErrorBoundary: RouteFailed,
        children: [
          { index: true, Component: OverviewPage },
          {
            path: 'targets',
            lazy: async () => ({ Component: (await import('../pages/targets/targets-page.js')).TargetsPage }),
          },
          {
            path: 'targets/:id',
            lazy: async () => ({ Component: (await import('../pages/target/target-page.js')).TargetPage }),
            children: [
              {
                index: true,
                lazy: async () => ({
                  Component: (await import('../pages/target/workload-tab.js')).WorkloadTab,
                }),
              },
              {
                path: 'settings',
                lazy: async () => ({
                  Component: (await import('../pages/target/settings-tab.js')).SettingsTab,
                }),
              },
              {
                path: 'captures',
                lazy: async () => ({
                  Component: (await import('../pages/target/captures-tab.js')).CapturesTab,
                }),
              },
              {
                path: 'runs',
                lazy: async () => ({ Component: (await import('../pages/target/runs-tab.js')).RunsTab }),
              },
              {
                path: 'changes',
                lazy: async () => ({
                  Component: (await import('../pages/target/changes-tab.js')).ChangesTab,
                }),
              },
            ],
          },
          {
            path: 'runs',
            lazy: async () => ({ Component: (await import('../pages/runs/runs-page.js')).RunsPage }),
          },
          {
            path: 'runs/new',
            lazy: async () => ({ Component: (await import('../pages/editor/editor-page.js')).EditorPage }),
          },
          {
            path: 'runs/:id',
            lazy: async () => ({ Component: (await import('../pages/run/run-page.js')).RunPage }),
          },
          {
            path: 'schedules',
            lazy: async () => ({
              Component: (await import('../pages/schedules/schedules-page.js')).SchedulesPage,
            }),
          },
          {
            path: 'captures',
            lazy: async () => ({
              Component: (await import('../pages/captures/captures-page.js')).CapturesPage,
            }),
          },
          {
            path: 'captures/:id',
            lazy: async () => ({
              Component: (await import('../pages/captures/capture-page.js')).CapturePage,
            }),
          },
          {
            path: 'artifacts',
            lazy: async () => ({
              Component: (await import('../pages/artifacts/artifacts-page.js')).ArtifactsPage,
            }),
          },
          {
            path: 'artifacts/:id',
            lazy: async () => ({
              Component: (await import('../pages/artifacts/artifact-page.js')).ArtifactPage,
            }),
          },
          {
            path: 'workers',
            lazy: async () => ({ Component: (await import('../pages/workers/workers-page.js')).WorkersPage }),
          },
          {
            path: 'clones',
            lazy: async () => ({ Component: (await import('../pages/clones/clones-page.js')).ClonesPage }),
          },
          {
            path: 'audit',
            lazy: async () => ({ Component: (await import('../pages/audit/audit-page.js')).AuditPage }),
          },
          {
            path: 'settings',
            lazy: async () => ({
              Component: (await import('../pages/settings/settings-page.js')).SettingsPage,
            }),
          },
          { path: '*', Component: NotFound },
        ],
      },
    ],
  },
]);
