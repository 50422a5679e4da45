// A button with a small sheet under it: choices that would crowd a row. It closes with Escape, a click elsewhere, or the button itself.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './Icon';
import type { IconName } from './Icon';

interface Props {
  name: string;
  icon: IconName;
  /** The word stands beside the sign. */
  word?: string;
  children: (close: () => void) => ComponentChildren;
}

export function Menu({ name, icon, word, children }: Props): JSX.Element {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open) return;
    event.preventDefault();
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div class="menu" ref={box} onKeyDown={escape}>
      <button ref={button} type="button" class={word === undefined ? 'icon' : 'plain with-icon'} aria-expanded={open} aria-label={word === undefined ? name : undefined} title={name} onClick={() => setOpen(!open)}>
        <Icon name={icon} />
        {word}
      </button>
      {open && (
        <div class="menu-sheet" role="group" aria-label={name}>
          {children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}
