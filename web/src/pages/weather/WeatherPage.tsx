// Weather: all markets, what changed, and nothing that has to be opened to see whether something is wrong.
import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { edition, rows } from '../../board/store';
import { place, setParams } from '../../state/place';
import { BoardWaiting } from '../../ui/BoardWaiting';
import { BoardTable } from './BoardTable';
import { Changes } from './Changes';
import { Filters } from './Filters';
import { fits, wishOf } from './order';

export function WeatherPage(): JSX.Element {
  return (
    <>
      <h1 class="unseen">Weather of all markets</h1>
      <Board />
    </>
  );
}

function Board(): JSX.Element {
  const all = rows.value;
  const wish = wishOf(place.value.params);
  // Labels turn while the page is open: what fitted none fits again, and the other way round.
  const none = useComputed(() => {
    void edition.value;
    const asked = wishOf(place.value.params);
    return !rows.value.some((row) => fits(row, asked));
  }).value;
  if (all.length === 0) return <BoardWaiting lines={10} />;
  return (
    <>
      <Changes />
      <Filters />
      {none ? (
        <div class="note empty">
          <p>
            <strong>No market fits.</strong> {wish.search !== '' ? `Nothing is called like “${wish.search}”. ` : ''}
            {wish.risk.length > 0 ? `None is ${wish.risk.join(' or ')} at the moment.` : ''}
          </p>
          <p>
            <button type="button" class="plain" onClick={() => setParams({ q: null, risk: null })}>
              Show all {all.length}
            </button>
          </p>
        </div>
      ) : (
        <BoardTable />
      )}
    </>
  );
}
