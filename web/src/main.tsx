// Where the page begins.
import { render } from 'preact';
import { App } from './app';
import { startSession } from './api/session';
import { startLive } from './board/live';
import { startBoard } from './board/store';
import { startClock } from './state/clock';
import { startKeys } from './state/keys';
import { startPlaces } from './state/place';
import { startPlay } from './state/play';
import { startTheme } from './state/theme';
import { startStory } from './state/story';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/table.css';
import './styles/market.css';
import './styles/chart.css';
import './styles/pages.css';
import './styles/lists.css';
import './styles/scorecard.css';
import './styles/whatif.css';
import './styles/lab.css';

startTheme();
startPlaces();
startClock();
startPlay();
startKeys();
startBoard();
startLive();
startSession();
startStory();

const root = document.getElementById('page');
if (root) render(<App />, root);
