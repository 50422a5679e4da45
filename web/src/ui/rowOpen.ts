// A row that opens a market wherever it is clicked: a plain click here, with Ctrl, ⌘, Shift or the middle button in a new tab. Links,
// buttons and fields inside keep their own meaning, and marking text opens nothing.
import type { JSX } from 'preact';
import { go } from '../state/place';

const OWN = 'a, button, input, select, textarea, label, summary';

type Handlers = Pick<JSX.IntrinsicElements['tr'], 'onClick' | 'onAuxClick' | 'onMouseDown' | 'onKeyDown'>;

function isOwn(event: Event): boolean {
  return event.target instanceof Element && event.target.closest(OWN) !== null;
}

function openBeside(href: string): void {
  window.open(href, '_blank', 'noopener');
}

/** Handlers of a row that opens this address. Enter is for `state/keys.ts`, which follows the row's link. */
export function opens(href: string): Handlers {
  return {
    onClick: (event: MouseEvent) => {
      if (event.defaultPrevented || isOwn(event) || (window.getSelection()?.toString() ?? '') !== '') return;
      if (event.ctrlKey || event.metaKey || event.shiftKey) openBeside(href);
      else go(href);
    },
    onAuxClick: (event: MouseEvent) => {
      if (event.button === 1 && !isOwn(event)) openBeside(href);
    },
    // The middle button would begin to scroll.
    onMouseDown: (event: MouseEvent) => {
      if (event.button === 1 && !isOwn(event)) event.preventDefault();
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.target !== event.currentTarget) return;
      event.preventDefault();
      openBeside(href);
    },
  };
}
