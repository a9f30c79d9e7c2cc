import './code-editor.css';
import { type KeyboardEvent, type Ref, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { highlight } from '../lib/highlight.js';

export interface EditorMark {
  line: number;
  message: string;
}

export interface EditorHandle {
  /** Puts the cursor at the start of a line (counted from 1) and brings it into view. */
  goTo: (line: number) => void;
}

interface CodeEditorProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  marks: readonly EditorMark[];
  ref?: Ref<EditorHandle>;
  describedBy?: string;
}

const INDENT = '  ';
const LINE_HEIGHT_EM = 1.55;

/**
 * A text area with line numbers, colours and error marks. Tab indents; Escape and then Tab leaves, so that the keyboard
 * is not trapped.
 */
export function CodeEditor({ value, onChange, label, marks, ref, describedBy }: CodeEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const leaving = useRef(false);
  const [line, setLine] = useState(1);
  const lines = useMemo(() => value.split('\n'), [value]);
  const tokens = useMemo(() => highlight(value), [value]);
  const numbers = useMemo(() => lines.map((_, index) => index + 1).join('\n'), [lines]);
  const byLine = useMemo(() => {
    const found = new Map<number, string>();
    for (const mark of marks) {
      const known = found.get(mark.line);
      found.set(mark.line, known ? `${known}\n${mark.message}` : mark.message);
    }
    return found;
  }, [marks]);
  const longest = useMemo(() => lines.reduce((most, text) => Math.max(most, text.length), 0), [lines]);

  useImperativeHandle(
    ref,
    () => ({
      goTo: (wanted) => {
        const element = area.current;
        if (!element) return;
        const all = element.value.split('\n');
        const index = Math.max(0, Math.min(all.length, wanted) - 1);
        const start = all.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0);
        element.focus({ preventScroll: true });
        element.setSelectionRange(start, start + (all[index]?.length ?? 0));
        setLine(index + 1);
        const scroller = element.closest('.editor-scroll');
        const height = Number.parseFloat(getComputedStyle(element).lineHeight);
        scroller?.scrollTo({ top: Math.max(0, index * height - scroller.clientHeight / 2) });
        element.closest('.editor')?.scrollIntoView({ block: 'nearest' });
      },
    }),
    [],
  );

  const track = () => {
    const element = area.current;
    if (element) setLine(element.value.slice(0, element.selectionStart).split('\n').length);
  };

  const pressed = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const element = event.currentTarget;
    if (event.key === 'Escape') {
      leaving.current = true;
      return;
    }
    if (event.key === 'Tab' && !event.ctrlKey && !event.altKey && !event.metaKey) {
      if (leaving.current) return;
      event.preventDefault();
      if (event.shiftKey) shift(element, unindented);
      else if (selectsLines(element)) shift(element, (text) => (text ? INDENT + text : text));
      else type(INDENT);
      return;
    }
    leaving.current = false;
    if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      event.preventDefault();
      const before = element.value.slice(0, element.selectionStart);
      const current = before.slice(before.lastIndexOf('\n') + 1);
      const indent = /^[ \t]*/.exec(current)?.[0] ?? '';
      const deeper = /[:[{]\s*$/.test(current) ? INDENT : '';
      type(`\n${indent}${deeper}`);
    }
  };

  return (
    <div className="editor">
      <div className="editor-scroll">
        <div className="editor-gutter" aria-hidden="true">
          <pre>{numbers}</pre>
          {[...byLine].map(([number, message]) => (
            <span
              key={number}
              className="editor-wrong"
              title={message}
              style={{ top: `${(number - 1) * LINE_HEIGHT_EM}em` }}
            >
              {number}
            </span>
          ))}
        </div>
        <div className="editor-text" style={{ minWidth: `${longest + 4}ch` }}>
          <pre aria-hidden="true">
            <span className="editor-line" style={{ top: `${(line - 1) * LINE_HEIGHT_EM}em` }} />
            {[...byLine.keys()].map((number) => (
              <span
                key={number}
                className="editor-line editor-line-wrong"
                style={{ top: `${(number - 1) * LINE_HEIGHT_EM}em` }}
              />
            ))}
            {tokens.map((token) =>
              token.kind ? (
                <span key={token.at} className={`syntax-${token.kind}`}>
                  {token.text}
                </span>
              ) : (
                token.text
              ),
            )}
            {'\n'}
          </pre>
          <textarea
            ref={area}
            value={value}
            aria-label={label}
            aria-describedby={describedBy}
            aria-invalid={marks.length > 0}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            wrap="off"
            onChange={(event) => onChange(event.target.value)}
            onKeyDown={pressed}
            onSelect={track}
            onBlur={() => {
              leaving.current = false;
            }}
          />
        </div>
      </div>
    </div>
  );
}

/** Inserts as typing does, so that undo still works. */
function type(text: string): void {
  document.execCommand('insertText', false, text);
}

const selectsLines = (element: HTMLTextAreaElement): boolean =>
  element.value.slice(element.selectionStart, element.selectionEnd).includes('\n');

const unindented = (text: string): string => text.replace(/^( {1,2}|\t)/, '');

/** Changes each line of the selection, and selects them again. */
function shift(element: HTMLTextAreaElement, change: (line: string) => string): void {
  const { value, selectionStart, selectionEnd } = element;
  const from = value.lastIndexOf('\n', selectionStart - 1) + 1;
  const next = value.indexOf('\n', selectionEnd);
  const to = next < 0 ? value.length : next;
  const changed = value.slice(from, to).split('\n').map(change).join('\n');
  if (changed === value.slice(from, to)) return;
  element.setSelectionRange(from, to);
  type(changed);
  element.setSelectionRange(from, from + changed.length);
}
