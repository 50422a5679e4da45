// Which columns a view shows, kept in this browser. Without a choice the view decides by the room there is.
import type { JSX } from 'preact';
import { chooseColumns, chosenColumns, favouritesFirst } from '../../board/prefs';
import { keep } from '../../state/kept';
import { Dialog } from '../../ui/Dialog';
import { BY_ID, IDS } from './columns';
import type { BoardView } from './views';

export function ColumnsDialog({ view, close }: { view: BoardView; close: () => void }): JSX.Element {
  const own = chosenColumns.value[view.page];
  const shown = own ?? view.columns;
  const toggle = (id: string): void => {
    const next = shown.includes(id) ? shown.filter((each) => each !== id) : [...shown, id];
    // In the usual order, so that a table looks alike wherever a column was added last.
    chooseColumns(view.page, IDS.filter((each) => each === 'market' || next.includes(each)));
  };
  return (
    <Dialog title="Columns" close={close}>
      <p class="muted">Columns that do not fit are shown beneath each row{view.extra.length > 0 && own === undefined ? '; wide screens show more by themselves' : ''}.</p>
      <fieldset class="checks">
        <legend class="unseen">columns</legend>
        {IDS.filter((id) => id !== 'market').map((id) => (
          <label key={id} title={BY_ID.get(id)?.title}>
            <input type="checkbox" checked={shown.includes(id)} onChange={() => toggle(id)} /> {BY_ID.get(id)?.text}
          </label>
        ))}
      </fieldset>
      <fieldset class="checks">
        <legend class="unseen">order</legend>
        <label>
          <input type="checkbox" checked={favouritesFirst.value} onChange={() => keep(favouritesFirst, !favouritesFirst.peek())} /> Favourites first, whatever is sorted by
        </label>
      </fieldset>
      <p>
        <button type="button" class="plain" disabled={own === undefined} onClick={() => chooseColumns(view.page, null)}>
          As the view has them
        </button>
      </p>
    </Dialog>
  );
}
