// Groups: named lists of markets, kept in this browser. A group is made, filled by search, and removed here.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { matcher } from '../../board/find';
import { addGroup, favourites, groups, nameFault, removeGroup, toggleInGroup } from '../../board/prefs';
import type { Group } from '../../board/prefs';
import { rows } from '../../board/store';
import { setParams, place } from '../../state/place';
import { Dialog } from '../../ui/Dialog';

const FOUND_MAX = 8;

export function GroupsDialog({ close }: { close: () => void }): JSX.Element {
  const [open, setOpen] = useState<string | null>(groups.peek()[0]?.name ?? null);
  const shown = groups.value.find((group) => group.name === open) ?? null;
  return (
    <Dialog title="Groups" close={close}>
      <p class="muted">Lists of markets of your own, kept in this browser. Choose one above the table to see it alone.</p>
      <NewGroup made={setOpen} />
      {groups.value.length > 0 && (
        <div class="choice" role="group" aria-label="group to edit">
          {groups.value.map((group) => (
            <button key={group.name} type="button" aria-pressed={group.name === open} onClick={() => setOpen(group.name)}>
              {group.name} <b class="num">{group.markets.length}</b>
            </button>
          ))}
        </div>
      )}
      {shown !== null && <Members key={shown.name} group={shown} />}
    </Dialog>
  );
}

function NewGroup({ made }: { made: (name: string) => void }): JSX.Element {
  const [name, setName] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const add = (event: Event): void => {
    event.preventDefault();
    const wrong = nameFault(name, groups.peek());
    setFault(wrong);
    if (wrong !== null) return;
    addGroup(name);
    made(name.trim());
    setName('');
  };
  return (
    <form class="inline-form" onSubmit={add}>
      <label class="field">
        <span>New group</span>
        <input type="text" placeholder="majors" value={name} aria-invalid={fault !== null} aria-describedby={fault === null ? undefined : 'group-fault'} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <button type="submit" class="plain">
        Make
      </button>
      {fault !== null && (
        <p id="group-fault" class="failed" role="alert">
          {fault}
        </p>
      )}
    </form>
  );
}

function Members({ group }: { group: Group }): JSX.Element {
  const [search, setSearch] = useState('');
  const named = matcher(search);
  const found = search.trim() === '' ? [] : rows.value.map((row) => ({ row, fit: named(row.at) })).filter(({ row, fit }) => fit !== null && !group.markets.includes(row.instrument));
  found.sort((a, b) => (a.fit ?? 0) - (b.fit ?? 0));
  const first = found[0];
  const left = favourites.value.filter((each) => !group.markets.includes(each));
  const drop = (): void => {
    if (place.peek().params['list'] === group.name) setParams({ list: null });
    removeGroup(group.name);
  };
  return (
    <section class="group-edit" aria-label={`markets of ${group.name}`}>
      <label class="field">
        <span>Add a market</span>
        <input
          type="search"
          placeholder="btc, ether, okx…"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || first === undefined) return;
            event.preventDefault();
            toggleInGroup(group.name, first.row.instrument);
            setSearch('');
          }}
        />
      </label>
      {search.trim() !== '' && (
        <ul class="picks">
          {found.slice(0, FOUND_MAX).map(({ row }) => (
            <li key={row.instrument}>
              <button type="button" class="plain" onClick={() => toggleInGroup(group.name, row.instrument)}>
                Add {row.at.symbol} <span class="muted">{row.at.venue}</span>
              </button>
            </li>
          ))}
          {found.length === 0 && <li class="muted">No other market matches.</li>}
          {found.length > FOUND_MAX && <li class="muted">and {found.length - FOUND_MAX} more</li>}
        </ul>
      )}
      <ul class="picks">
        {group.markets.map((instrument) => (
          <li key={instrument}>
            <span>{instrument}</span>
            <button type="button" class="plain" aria-label={`remove ${instrument}`} onClick={() => toggleInGroup(group.name, instrument)}>
              Remove
            </button>
          </li>
        ))}
        {group.markets.length === 0 && <li class="muted">No market yet.</li>}
      </ul>
      <p class="links">
        {left.length > 0 && (
          <button type="button" class="plain" onClick={() => left.forEach((each) => toggleInGroup(group.name, each))}>
            Add the {left.length === 1 ? 'favourite' : `${left.length} favourites`}
          </button>
        )}
        <button type="button" class="plain" onClick={drop}>
          Remove the group
        </button>
      </p>
    </section>
  );
}
