import './dialog.css';
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useId, useState } from 'react';
import { Button } from './button.js';
import { Field } from './field.js';
import { Failed } from './page.js';

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  about?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

export function Dialog({ open, onOpenChange, title, about, wide = false, children }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="dialog-scrim" />
        <Radix.Content
          className={wide ? 'dialog dialog-wide' : 'dialog'}
          {...(!about && { 'aria-describedby': undefined })}
          onOpenAutoFocus={(event) => {
            // The first thing to fill in, else the dialog itself: not the button that closes it.
            event.preventDefault();
            const content = event.currentTarget as HTMLElement;
            (content.querySelector<HTMLElement>('input, select, textarea') ?? content).focus();
          }}
        >
          <div className="dialog-head">
            <Radix.Title asChild>
              <h2>{title}</h2>
            </Radix.Title>
            <Radix.Close asChild>
              <Button look="ghost" size="s" label="Close" icon={<X />} />
            </Radix.Close>
          </div>
          {about && (
            <Radix.Description asChild>
              <p className="muted">{about}</p>
            </Radix.Description>
          )}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will happen, to what. */
  children: ReactNode;
  /** The verb and its object, on the button. */
  action: string;
  danger?: boolean;
  /** The name that must be typed, where it cannot be undone. */
  typed?: string;
  onConfirm: () => Promise<unknown>;
}

/** Asks before something that matters. It stays open while it works, and shows why it failed. */
export function Confirm(props: ConfirmProps) {
  const { open, onOpenChange, title, children, action, danger = false, typed, onConfirm } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const [text, setText] = useState('');
  const id = useId();
  const ready = typed === undefined || text.trim() === typed;

  const change = (next: boolean) => {
    if (busy) return;
    setError(undefined);
    setText('');
    onOpenChange(next);
  };
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      setText('');
      onOpenChange(false);
    } catch (caught) {
      setError(caught as Error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog open={open} onOpenChange={change} title={title}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) void confirm();
        }}
      >
        {children}
        {typed !== undefined && (
          <Field id={id} label={`Type ${typed} to confirm`}>
            <input
              id={id}
              value={text}
              autoComplete="off"
              onChange={(event) => setText(event.target.value)}
            />
          </Field>
        )}
        {error && <Failed error={error} what="It was not done." />}
        <DialogActions onCancel={() => change(false)}>
          <Button
            type="submit"
            look={danger ? 'danger' : 'primary'}
            busy={busy}
            blocked={ready ? undefined : `Type ${typed} first.`}
          >
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

export function DialogActions({ onCancel, children }: { onCancel: () => void; children: ReactNode }) {
  return (
    <div className="dialog-actions">
      <Button look="ghost" onClick={onCancel}>
        Keep as it is
      </Button>
      {children}
    </div>
  );
}
