// What narrows the board down and how it looks: search, lists of this browser, one button for each risk label with how many markets
// have it (the shape of the market at a glance), columns and density.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { WORDS } from '../../board/axes';
import { pulse } from '../../board/pulse';
import { density, favourites, groups, groupOf, toggleDensity } from '../../board/prefs';
import { rows } from '../../board/store';
import { said } from '../../format/labels';
import { go, hrefTo, setParams } from '../../state/place';
import { marketPath } from '../../state/url';
import { Sign } from '../../ui/Sign';
import { ColumnsDialog } from './ColumnsDialog';
import { GroupsDialog } from './GroupsDialog';
import { FAVOURITES, chosen, toggledRisk } from './order';
import { mineOf, useWish } from './useBoard';
import type { BoardView } from './views';

/** The severest first; what is not known last. */
const ORDER = [...WORDS.risk.filter((w) => w !== 'UNKNOWN')].reverse().concat('UNKNOWN');

export function Toolbar({ view }: { view: BoardView }): JSX.Element {
  const [dialog, setDialog] = useState<'columns' | 'groups' | null>(null);
  return (
    <div class="filters">
      <Search view={view} />
      <Risks view={view} />
      <Lists view={view} edit={() => setDialog('groups')} />
      <div class="choice looks" role="group" aria-label="how the table looks">
        <button type="button" aria-pressed={density.value === 'compact'} title="rows of one line each (c)" data-key="c" onClick={toggleDensity}>
          Compact
        </button>
        <button type="button" aria-haspopup="dialog" onClick={() => setDialog('columns')}>
          Columns
        </button>
      </div>
      {dialog === 'columns' && <ColumnsDialog view={view} close={() => setDialog(null)} />}
      {dialog === 'groups' && <GroupsDialog close={() => setDialog(null)} />}
    </div>
  );
}

function Search({ view }: { view: BoardView }): JSX.Element {
  const wish = useWish(view);
  // The first of the order at this very moment, which the table may not have drawn yet.
  const open = (): void => {
    const first = chosen(rows.peek(), wish, mineOf(wish))[0];
    if (first !== undefined && wish.search.trim() !== '') go(hrefTo(marketPath(first.instrument)));
  };
  return (
    <label class="search">
      <span class="unseen">search markets</span>
      <input
        type="search"
        data-search
        placeholder="Search: btc, ether, okx…  /"
        value={wish.search}
        title="name, pair or venue; Enter opens the first"
        onInput={(event) => setParams({ q: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          open();
        }}
      />
    </label>
  );
}

function Risks({ view }: { view: BoardView }): JSX.Element {
  const wish = useWish(view);
  const counts = new Map<string, number>();
  // Read so that the counts follow the board.
  void pulse.value;
  for (const row of rows.value) {
    const word = row.peekWord('risk') ?? 'UNKNOWN';
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return (
    <div class="choice" role="group" aria-label="show only these risk labels">
      {ORDER.map((word) => (
        <button key={word} type="button" aria-pressed={wish.risk.includes(word)} title={`show only ${word}`} onClick={() => setParams(toggledRisk(wish, word))}>
          <Sign axis="risk" label={word} />
          <span>{said('risk', word)}</span> <b class="num">{counts.get(word) ?? 0}</b>
        </button>
      ))}
    </div>
  );
}

function Lists({ view, edit }: { view: BoardView; edit: () => void }): JSX.Element {
  const wish = useWish(view);
  const unknown = wish.list !== null && wish.list !== FAVOURITES && groupOf(wish.list) === null ? wish.list : null;
  const choose = (list: string): void => setParams({ list: wish.list === list ? null : list });
  return (
    <div class="choice" role="group" aria-label="show only a list of this browser">
      <button type="button" aria-pressed={wish.list === FAVOURITES} onClick={() => choose(FAVOURITES)}>
        Favourites <b class="num">{favourites.value.length}</b>
      </button>
      {groups.value.map((group) => (
        <button key={group.name} type="button" aria-pressed={wish.list === group.name} onClick={() => choose(group.name)}>
          {group.name} <b class="num">{group.markets.length}</b>
        </button>
      ))}
      <button type="button" aria-haspopup="dialog" onClick={edit}>
        Groups
      </button>
      {unknown !== null && (
        <span class="muted" role="status">
          This browser has no group “{unknown}”; all markets are shown.
        </span>
      )}
    </div>
  );
}
