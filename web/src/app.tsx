// The page as a whole: header, what holds for all of it, the page of the address, the time machine.
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { signInWanted } from './api/client';
import { isStale } from './board/live';
import { pastWaiting, usePastBoard } from './board/past';
import { AlertsPage } from './pages/alerts/AlertsPage';
import { CascadesPage } from './pages/cascades/CascadesPage';
import { FeedsPage } from './pages/feeds/FeedsPage';
import { HelpPage } from './pages/help/HelpPage';
import { PositionsPage } from './pages/positions/PositionsPage';
import { RegimesPage } from './pages/regimes/RegimesPage';
import { UniversePage } from './pages/universe/UniversePage';
import { VolatilityPage } from './pages/volatility/VolatilityPage';
import { WeatherPage } from './pages/weather/WeatherPage';
import { hrefTo, route } from './state/place';
import type { Route } from './state/url';
import { Failed } from './ui/Answer';
import { Banners } from './ui/Banners';
import { Footer } from './ui/Footer';
import { Header } from './ui/Header';
import { KeysDialog } from './ui/Keys';
import { Later } from './ui/Later';
import { SignIn } from './ui/SignIn';
import { TimeMachine } from './ui/TimeMachine';

const loadMarket = () => import('./pages/market/MarketPage').then((m) => m.MarketPage);

export function App(): JSX.Element {
  const at = route.value;
  const content = useRef<HTMLElement>(null);
  const past = usePastBoard();
  const name = at.page === 'market' ? at.instrument : at.page;
  const first = useRef(true);
  useEffect(() => {
    document.title = at.page === 'weather' ? 'barograph' : `${name} · barograph`;
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
      <main id="content" ref={content} tabIndex={-1} class={`page page-${at.page}${isStale.value ? ' is-stale' : ''}${pastWaiting.value ? ' is-waiting' : ''}`} aria-busy={pastWaiting.value}>
        {past.error && <Failed error={past.error} reload={past.reload} />}
        <Page at={at} />
      </main>
      {at.page !== 'help' && <TimeMachine />}
      <Footer />
      <KeysDialog />
    </>
  );
}

function Page({ at }: { at: Route }): JSX.Element {
  switch (at.page) {
    case 'weather':
      return <WeatherPage />;
    case 'market':
      return <Later key={at.instrument} load={loadMarket} props={{ instrument: at.instrument }} />;
    case 'regimes':
      return <RegimesPage />;
    case 'cascades':
      return <CascadesPage />;
    case 'volatility':
      return <VolatilityPage />;
    case 'universe':
      return <UniversePage />;
    case 'positions':
      return <PositionsPage />;
    case 'alerts':
      return <AlertsPage />;
    case 'feeds':
      return <FeedsPage />;
    case 'help':
      return <HelpPage />;
    case 'unknown':
      return (
        <div class="note">
          <h1>No such page</h1>
          <p>
            Nothing answers at this address. <a href={hrefTo('/')}>To the weather</a>
          </p>
        </div>
      );
  }
}
