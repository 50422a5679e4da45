// Where the page begins.
import { render } from 'preact';
import { App, startAhead } from './app';
import { startSession } from './api/session';
import { startLive } from './board/live';
import { startPulse } from './board/pulse';
import { startBoard } from './board/store';
import { startScale } from './pages/weather/scale';
import { startNotices } from './notices/start';
import { startTab } from './notices/tab';
import { startClock } from './state/clock';
import { startKept } from './state/kept';
import { startKeys } from './state/keys';
import { startPlaces } from './state/place';
import { startPlay } from './state/play';
import { startTheme } from './state/theme';
import { zonesNamed } from './format/time';
import { afterPaint } from './ui/painted';
import { startStory } from './state/story';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/table.css';
import './styles/board.css';
import './styles/market.css';
import './styles/chart.css';
import './styles/pages.css';
import './styles/alerts.css';
import './styles/lists.css';
import './styles/scorecard.css';
import './styles/whatif.css';
import './styles/lab.css';

startAhead();
startTheme();
startPlaces();
startClock();
startKept();
startPlay();
startKeys();
startBoard();
startPulse();
startScale();
startLive();
startSession();
startStory();
startTab();
startNotices();

/** The browser takes as long to find the name of a zone as the page takes for a table. */
const ZONES_AFTER_MS = 1_500;

const root = document.getElementById('page');
zonesNamed.value = false;
// Reading the files is one turn and drawing the page another: together they would keep a hand waiting.
setTimeout(() => {
  if (root) render(<App />, root);
  afterPaint(() => setTimeout(() => (zonesNamed.value = true), ZONES_AFTER_MS));
});
