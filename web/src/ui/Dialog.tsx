// A dialog of the browser's own kind: it keeps the focus, closes on Escape and gives the focus back.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  title: string;
  close: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, close, children }: Props): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  // The browser tells of its own closing a moment later, and a key pressed in between would be lost.
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    close();
  };
  return (
    <dialog ref={ref} aria-labelledby="dialog-title" onClose={close} onKeyDown={escape} onClick={(e) => e.target === ref.current && close()}>
      <div class="dialog-body">
        <header class="panel-head">
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="icon" onClick={close} aria-label="close">
            <span aria-hidden="true">×</span>
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
