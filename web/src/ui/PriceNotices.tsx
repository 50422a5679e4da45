// A price has crossed a line of the reader: shown on whatever page is open, until it is dismissed. Prices are those of the board; while
// the page looks at the past nothing is shown, and what was crossed meanwhile is shown on the way back.
import { effect, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { baseOf } from '../board/decode';
import { marketNow } from '../board/live';
import { rows } from '../board/store';
import { price as priceText } from '../format/number';
import { serverNow } from '../state/clock';
import { notify } from '../state/notify';
import { arm, changeLine, crossed, ownLines } from '../state/lines';
import type { PriceLine } from '../state/lines';
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
let count = 0;

/** The newest price of a market, where the process listens to it. */
function priceOf(instrument: string): number | null {
  const now = marketNow.value;
  if (now?.instrument === instrument && now.price !== null) return now.price;
  const row = rows.value.find((each) => each.instrument === instrument);
  return row === undefined || row.state() !== 'live' ? null : row.number('price');
}

function look(): void {
  if (asOf.value !== null) return;
  for (const [instrument, lines] of Object.entries(ownLines.value)) {
    if (!lines.some((line) => line.alert)) continue;
    const now = priceOf(instrument);
    if (now === null) continue;
    arm(instrument, now);
    for (const line of crossed(lines, now)) tell(instrument, line, now);
  }
}

function tell(instrument: string, { id, price: line, under }: PriceLine, price: number): void {
  const notice = { key: (count += 1), instrument, line, price, up: under === true, at: serverNow.peek() };
  notices.value = [notice, ...notices.peek()].slice(0, SHOWN);
  notify({ title: `${baseOf(instrument.split(':')[1] ?? instrument)} ${notice.up ? 'rose' : 'fell'} to ${priceText(line)}`, body: `${instrument} is at ${priceText(price)}.`, tag: `${instrument} ${line}` });
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
          <button type="button" class="icon small" aria-label="dismiss" onClick={() => (notices.value = notices.peek().filter((n) => n.key !== notice.key))}>
            <Icon name="remove" />
          </button>
        </p>
      ))}
    </div>
  );
}
