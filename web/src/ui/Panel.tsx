// A part of a page with a heading.
import type { ComponentChildren, JSX } from 'preact';

interface Props {
  title: string;
  id?: string;
  class?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Panel({ title, id, class: name = '', aside, children }: Props): JSX.Element {
  const heading = id ?? title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return (
    <section class={`panel ${name}`} aria-labelledby={`${heading}-title`}>
      <header class="panel-head">
        <h2 id={`${heading}-title`}>{title}</h2>
        {aside !== undefined && <div class="panel-aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}
