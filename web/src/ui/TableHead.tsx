// The line of headings of a table: names, what they mean on hover, and which are over numbers.
import type { JSX } from 'preact';

export interface Heading {
  name: string;
  title?: string;
  /** Over numbers: to the right. */
  num?: boolean;
}

export function TableHead({ of }: { of: readonly Heading[] }): JSX.Element {
  return (
    <thead>
      <tr>
        {of.map(({ name, title, num = false }) =>
          // Over the names of the rows there is nothing to say.
          name === '' ? (
            <td key={name} />
          ) : (
            <th key={name} scope="col" class={num ? 'num' : undefined} title={title}>
              {name}
            </th>
          ),
        )}
      </tr>
    </thead>
  );
}
