import './toast.css';
import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from 'react';
import { Button } from './button.js';

interface Toast {
  id: number;
  tone: 'ok' | 'bad';
  text: ReactNode;
}

interface Toaster {
  done: (text: ReactNode) => void;
  failed: (error: unknown) => void;
}

const ToastContext = createContext<Toaster>({ done: () => undefined, failed: () => undefined });

/** Says, at the edge of the window, what was done or why it was not. */
export const useToast = (): Toaster => useContext(ToastContext);

const STAY_MS = 5000;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(1);
  const close = useCallback((id: number) => setToasts((now) => now.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (tone: Toast['tone'], text: ReactNode) => {
      const id = next.current++;
      setToasts((now) => [...now.slice(-2), { id, tone, text }]);
      // A failure stays until it is closed: it may be needed to act.
      if (tone === 'ok') setTimeout(() => close(id), STAY_MS);
    },
    [close],
  );
  const toaster = useMemo<Toaster>(
    () => ({
      done: (text) => show('ok', text),
      failed: (error) => show('bad', error instanceof Error ? error.message : String(error)),
    }),
    [show],
  );
  return (
    <ToastContext value={toaster}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={`toast toast-${toast.tone}`}>
            {toast.tone === 'ok' ? <CircleCheck aria-hidden="true" /> : <CircleAlert aria-hidden="true" />}
            <span className="grow">{toast.text}</span>
            <Button
              look="ghost"
              size="s"
              label="Close message"
              icon={<X />}
              onClick={() => close(toast.id)}
            />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
