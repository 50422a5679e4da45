// A price has crossed a line of the reader: said on whatever page is open, until it is put away. Prices are those of the board; in the
// past nothing is said.
import { effect, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { baseOf } from '../board/decode';
import { marketNow } from '../board/live';
import { rows } from '../board/store';
import { price as priceText } from '../format/number';
import { serverNow } from '../state/clock';
import { notify } from '../state/notify';
import { changeLine, crossed, ownLines } from '../state/lines';
import { asOf, hrefTo } from '../state/place';
import { marketPath } from '../state/url';
import { Icon } from './Icon';
import { Time } from './Time';

interface Notice {
  key: number;
  instrument: string;
  line: number;
  price: number;
  up: boolean;
  at: number;
}

const SHOWN = 4;
const notices = signal<readonly Notice[]>([]);
const before = new Map<string, number>();
let count = 0;

/** The newest price of a market, where the process listens to it. */
function priceOf(instrument: string): number | null {
  const now = marketNow.value;
  if (now?.instrument === instrument && now.price !== null) return now.price;
  const row = rows.value.find((each) => each.instrument === instrument);
  return row === undefined || row.state() !== 'live' ? null : row.number('price');
}

function look(): void {
  if (asOf.value !== null) {
    before.clear();
    return;
  }
  for (const [instrument, lines] of Object.entries(ownLines.value)) {
    if (!lines.some((line) => line.alert)) continue;
    const now = priceOf(instrument);
    if (now === null) continue;
    const was = before.get(instrument) ?? null;
    before.set(instrument, now);
    for (const line of crossed(lines, was, now)) tell(instrument, line.id, line.price, was ?? now, now);
  }
}

function tell(instrument: string, id: string, line: number, was: number, price: number): void {
  const notice = { key: (count += 1), instrument, line, price, up: price > was, at: serverNow.peek() };
  notices.value = [notice, ...notices.peek()].slice(0, SHOWN);
  notify(`${baseOf(instrument.split(':')[1] ?? instrument)} ${notice.up ? 'rose' : 'fell'} to ${priceText(line)}`, `${instrument} is at ${priceText(price)}.`);
  changeLine(instrument, id, { alert: false });
}

export function PriceNotices(): JSX.Element {
  useEffect(() => effect(look), []);
  return (
    <div class="price-notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <p key={notice.key} class="price-notice" data-testid="price-notice">
          <Icon name="bell" />
          <span>
            <a href={hrefTo(marketPath(notice.instrument))}>{notice.instrument}</a> {notice.up ? 'rose' : 'fell'} to your line at <b class="num">{priceText(notice.line)}</b>, now <span class="num">{priceText(notice.price)}</span>
            <span class="muted">
              , <Time at={notice.at / 1_000} />
            </span>
          </span>
          <button type="button" class="icon small" aria-label="put away" onClick={() => (notices.value = notices.peek().filter((n) => n.key !== notice.key))}>
            <Icon name="remove" />
          </button>
        </p>
      ))}
    </div>
  );
}
