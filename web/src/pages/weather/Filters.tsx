// Search, and one button for each risk label with how many markets have it: the shape of the market at a glance.
import type { JSX } from 'preact';
import { WORDS } from '../../board/axes';
import { edition, rows } from '../../board/store';
import { place, setParams } from '../../state/place';
import { Sign } from '../../ui/Sign';
import { toggledRisk, wishOf } from './order';

/** The severest first; what is not known last. */
const ORDER = [...WORDS.risk.filter((w) => w !== 'UNKNOWN')].reverse().concat('UNKNOWN');

export function Filters(): JSX.Element {
  const wish = wishOf(place.value.params);
  const counts = new Map<string, number>();
  // Read so that the counts follow every batch.
  void edition.value;
  for (const row of rows.value) {
    const word = row.peekWord('risk') ?? 'UNKNOWN';
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return (
    <div class="filters">
      <label class="search">
        <span class="unseen">search markets</span>
        <input
          type="search"
          data-search
          placeholder="Search markets  /"
          value={wish.search}
          onInput={(event) => setParams({ q: event.currentTarget.value })}
        />
      </label>
      <div class="choice" role="group" aria-label="show only these risk labels">
        {ORDER.map((word) => (
          <button key={word} type="button" aria-pressed={wish.risk.includes(word)} onClick={() => setParams(toggledRisk(wish, word))}>
            <Sign axis="risk" label={word} />
            <span>{word}</span> <b class="num">{counts.get(word) ?? 0}</b>
          </button>
        ))}
      </div>
    </div>
  );
}
