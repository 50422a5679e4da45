// A view of the board: what changed, what narrows the table down, the table. Nothing has to be opened to see whether something is
// wrong.
import type { ComponentChildren, JSX } from 'preact';
import { rows } from '../../board/store';
import { setParams } from '../../state/place';
import { said } from '../../format/labels';
import { BoardWaiting } from '../../ui/BoardWaiting';
import { groupOf } from '../../board/prefs';
import { BoardTable } from './BoardTable';
import { Changes } from './Changes';
import { Tabs } from './Tabs';
import { Toolbar } from './Toolbar';
import { FAVOURITES } from './order';
import { useNoneFits, useWish } from './useBoard';
import type { BoardView } from './views';

interface Props {
  view: BoardView;
  /** Stands between what narrows down and the table: a picture of the same markets. */
  children?: ComponentChildren;
}

export function Board({ view, children }: Props): JSX.Element {
  return (
    <>
      <h1 class="unseen">{view.heading}</h1>
      <Tabs />
      <Body view={view}>{children}</Body>
    </>
  );
}

function Body({ view, children }: Props): JSX.Element {
  const all = rows.value;
  const none = useNoneFits(view);
  if (all.length === 0) return <BoardWaiting lines={10} />;
  return (
    <>
      {view.page === 'weather' && <Changes />}
      <Toolbar view={view} />
      {children}
      {none ? <NoneFits view={view} /> : <BoardTable view={view} />}
      {view.note !== undefined && <p class="muted small">{view.note}</p>}
    </>
  );
}

function NoneFits({ view }: { view: BoardView }): JSX.Element {
  const wish = useWish(view);
  const all = rows.value.length;
  return (
    <div class="note empty">
      <p>
        <strong>No market matches.</strong> {wish.search !== '' ? `No market matches “${wish.search}”. ` : ''}
        {wish.risk.length > 0 ? `None has ${wish.risk.map((word) => said('risk', word).toLowerCase()).join(' or ')} at the moment. ` : ''}
        {wish.list === FAVOURITES ? 'No favourite is among them: the star in front of a market keeps it here. ' : ''}
        {wish.list !== null && wish.list !== FAVOURITES && groupOf(wish.list) !== null ? `The group ${wish.list} has none of them. ` : ''}
      </p>
      <p>
        <button type="button" class="plain" onClick={() => setParams({ q: null, risk: null, list: null })}>
          Show all {all}
        </button>
      </p>
    </div>
  );
}
