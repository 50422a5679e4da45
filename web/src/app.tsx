// The page as a whole: header, what holds for all of it, the page of the address, the time machine.
import type { ComponentType, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { askAhead, signInWanted } from './api/client';
import { FIRST_BARS, barsAddress, snapshotAddress } from './api/market';
import { isStale } from './board/live';
import { pastWaiting, usePastBoard } from './board/past';
import { INTERVALS } from './format/intervals';
import { componentOf, pageSpec } from './pages/list';
import { chosenNow } from './state/choice';
import { asOf, hrefTo, place, route } from './state/place';
import { playing } from './state/play';
import { clockAsked } from './state/story';
import type { Route } from './state/url';
import { Failed } from './ui/Answer';
import { Banners } from './ui/Banners';
import { Footer } from './ui/Footer';
import { Header } from './ui/Header';
import { KeysDialog } from './ui/Keys';
import { NoticesDialog } from './notices/NoticesDialog';
import { PaletteDialog } from './ui/Palette';
import { Later } from './ui/Later';
import { PlayNotices } from './ui/PlayNotices';
import { PriceNotices } from './ui/PriceNotices';
import { SignIn } from './ui/SignIn';
import { TimeMachine } from './ui/TimeMachine';
import { WatchNotices } from './ui/WatchNotices';

/** What stands at the addresses of the list, by file. All in one piece but the market, which brings a chart library, and what is opened
 * now and then. */
const SHOWN = import.meta.glob<Record<string, ComponentType>>(['./pages/*/*Page.tsx', '!./pages/{market,whatif,paper,lab,cases,agents}/*'], { eager: true });
const LATER = {
  whatif: () => import('./pages/whatif/WhatifPage').then((m) => m.WhatifPage),
  paper: () => import('./pages/paper/PaperPage').then((m) => m.PaperPage),
  cases: () => import('./pages/cases/CasesPage').then((m) => m.CasesPage),
  lab: () => import('./pages/lab/LabPage').then((m) => m.LabPage),
  agents: () => import('./pages/agents/AgentsPage').then((m) => m.AgentsPage),
};
const loadMarket = () => import('./pages/market/MarketPage').then((m) => m.MarketPage);

/** Whoever comes to a market waits for neither the first drawing nor the chart library before it is asked for. */
export function startAhead(): void {
  const at = route.peek();
  if (at.page !== 'market') return;
  // Ages are counted on the server's clock: drawn without it, they would be other words, and push away what stands below.
  askAhead(snapshotAddress(at.instrument), clockAsked());
  // While recorded time plays, other bars are asked for.
  if (!playing.peek()) {
    const known = (word: unknown): string | null => INTERVALS.find((each) => each === word) ?? null;
    const interval = known(place.peek().params['interval']) ?? chosenNow('chart', (chosen) => known(Object(chosen).interval));
    askAhead(barsAddress(at.instrument, interval, FIRST_BARS, { as_of: asOf.peek() }));
  }
  void loadMarket();
}

export function App(): JSX.Element {
  const at = route.value;
  const content = useRef<HTMLElement>(null);
  const past = usePastBoard();
  const name = at.page === 'market' ? at.instrument : at.page;
  const first = useRef(true);
  useEffect(() => {
    // A reader who follows a link goes on reading where the new page begins.
    if (!first.current) content.current?.focus({ preventScroll: true });
    first.current = false;
  }, [name]);

  if (signInWanted.value) return <SignIn />;
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Header />
      <Banners />
      <WatchNotices />
      <main id="content" ref={content} tabIndex={-1} class={`page page-${at.page}${isStale.value ? ' is-stale' : ''}${pastWaiting.value ? ' is-waiting' : ''}`} aria-busy={pastWaiting.value}>
        {past.error && <Failed error={past.error} reload={past.reload} />}
        <Page at={at} />
      </main>
      {pageSpec(at.page)?.timeless !== true && at.page !== 'market' && <TimeMachine />}
      <PriceNotices />
      <PlayNotices />
      <Footer />
      <KeysDialog />
      <NoticesDialog />
      <PaletteDialog />
    </>
  );
}

function Page({ at }: { at: Route }): JSX.Element {
  if (at.page === 'market') return <Later key={at.instrument} load={loadMarket} props={{ instrument: at.instrument }} />;
  if (at.page === 'whatif' || at.page === 'paper' || at.page === 'lab' || at.page === 'agents' || at.page === 'cases') return <Later key={at.page} load={LATER[at.page]} props={{}} />;
  const name = componentOf(at.page);
  const Shown = SHOWN[`./pages/${at.page}/${name}.tsx`]?.[name];
  if (Shown !== undefined) return <Shown />;
  return (
    <div class="note">
      <h1>No such page</h1>
      <p>
        Nothing answers at this address. <a href={hrefTo('/')}>To the weather</a>
      </p>
    </div>
  );
}
