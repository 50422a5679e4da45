// Which alerts are listed and in which order; every choice is in the address.
import type { JSX } from 'preact';
import { SEVERITIES } from '../../board/severity';
import { place, setParams } from '../../state/place';
import { KINDS } from './episodes';
import type { Sorting } from './episodes';

interface Props {
  severity: string;
  sorting: Sorting;
  kind: string;
  market: string;
  /** Markets among what was read. */
  markets: readonly string[];
}

export function KindOptions(): JSX.Element {
  return (
    <>
      {KINDS.map(([group, kinds]) => (
        <optgroup key={group} label={group}>
          {kinds.map(({ word, text }) => (
            <option key={word} value={word} title={word}>
              {text}
            </option>
          ))}
        </optgroup>
      ))}
    </>
  );
}

export function Filters({ severity, sorting, kind, market, markets }: Props): JSX.Element {
  const listed = market === '' || markets.includes(market) ? markets : [market, ...markets];
  return (
    <div class="alert-filters">
      <label class="search">
        <span class="unseen">search alerts</span>
        <input type="search" data-search placeholder="Search alerts  /" value={place.value.params['q'] ?? ''} onInput={(e) => setParams({ q: e.currentTarget.value })} />
      </label>
      <label>
        <span class="unseen">market</span>
        <select value={market} onChange={(e) => setParams({ market: e.currentTarget.value || null })}>
          <option value="">All markets</option>
          {listed.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="unseen">kind</span>
        <select value={kind} onChange={(e) => setParams({ kind: e.currentTarget.value || null })}>
          <option value="">All kinds</option>
          <KindOptions />
        </select>
      </label>
      <label>
        <span class="muted">at least </span>
        <select value={severity} onChange={(e) => setParams({ severity: e.currentTarget.value })}>
          {SEVERITIES.map((s) => (
            <option key={s}>{s}</option>
          ))}
        </select>
      </label>
      <label>
        <span class="unseen">order</span>
        <select value={sorting} onChange={(e) => setParams({ sort: e.currentTarget.value === 'newest' ? 'newest' : null })}>
          <option value="severity">Most severe first</option>
          <option value="newest">Newest first</option>
        </select>
      </label>
    </div>
  );
}
