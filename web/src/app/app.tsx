import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Tooltip } from 'radix-ui';
import { RouterProvider } from 'react-router/dom';
import { ApiError } from '../api/client.js';
import { SessionGate } from '../api/session.js';
import { Failed, Loading } from '../components/page.js';
import { ToastProvider } from '../components/toast.js';
import { LoginPage } from './login.js';
import { router } from './router.js';

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The session ended meanwhile: ask again who this is, which leads to the sign-in page.
      if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== 'session') {
        void queries.invalidateQueries({ queryKey: ['session'] });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Tooltip.Provider delayDuration={250}>
        <ToastProvider>
          <SessionGate
            login={(onDone) => <LoginPage onDone={onDone} />}
            waiting={
              <div className="gate">
                <Loading rows={3} />
              </div>
            }
            failed={(error, retry) => (
              <div className="gate">
                <Failed error={error} what="Ottopilot cannot be reached." retry={retry} />
              </div>
            )}
          >
            <RouterProvider router={router} />
          </SessionGate>
        </ToastProvider>
      </Tooltip.Provider>
    </QueryClientProvider>
  );
}
