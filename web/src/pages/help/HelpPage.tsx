// Help: words, signs, keys, and whose work is in the page.
import type { JSX } from 'preact';
import { AXES, WORDS } from '../../board/axes';
import { useAction } from '../../api/action';
import { caller } from '../../api/session';
import { signOut } from '../../board/live';
import { Keys } from '../../ui/Keys';
import { Refused } from '../../ui/Answer';
import { Label } from '../../ui/Label';
import { Panel } from '../../ui/Panel';
import notice from '../../../NOTICE?raw';
import { useVolatilityLimits } from '../volatility/useLimits';
import { AXIS_TEXT, WORD_TEXT } from './texts';

export function HelpPage(): JSX.Element {
  const limits = useVolatilityLimits();
  return (
    <>
      <h1>Help</h1>
      <p class="measure">
        barograph reports the weather of crypto markets: what it is, why, how close the call is, and what would change it. You decide: it places no orders and picks
        no side.
      </p>
      <div class="columns">
        {AXES.map((axis) => (
          <Panel key={axis} title={axis} id={axis}>
            <p class="muted">{AXIS_TEXT[axis]}</p>
            <dl class="facts words">
              {WORDS[axis].map((word) => (
                <>
                  <dt>
                    <Label axis={axis} label={word} />
                  </dt>
                  <dd>
                    {WORD_TEXT[axis][word]}
                    {axis === 'volatility' && limits.has(word) && ` Here: ${limits.get(word)} annualised.`} <code class="muted" title="the word in the API, in addresses and filters">{word}</code>
                  </dd>
                </>
              ))}
            </dl>
          </Panel>
        ))}
        <Panel title="Reading the page">
          <dl class="facts words">
            <dt>turning</dt>
            <dd>Far, near or about to turn: how far the risk label is from changing. Point at it for its margin, the distance to its closest condition; near 0 it may turn with the next reading. Where the latest reading differs from the label, that reading is named instead.</dd>
            <dt>funding 8 h</dt>
            <dd>The rate as if paid every 8 hours. Point at it for what it comes to in a year.</dd>
            <dt>rank in 90 d</dt>
            <dd>The share of the last 90 days in which moves were smaller than now.</dd>
            <dt>for</dt>
            <dd>How long the label has held. Times are local; point at one for UTC.</dd>
            <dt>stale</dt>
            <dd>Grey and hatched: the newest reading is too old to be trusted; its age is beside it.</dd>
            <dt>gap</dt>
            <dd>Hatching across the chart or a broken line: data is missing. Nothing is drawn across it.</dd>
            <dt>proxy</dt>
            <dd>A number used in place of one that is not available, with its source named.</dd>
            <dt>as known then</dt>
            <dd>The time machine shows a moment as it was known then. Later data changes nothing there. The address can be shared.</dd>
          </dl>
        </Panel>
        <Panel title="Keys">
          <Keys />
        </Panel>
        <Panel title="Charts" id="charts-notice">
          <p>
            Drawn by TradingView Lightweight Charts™, copyright (c) 2026 TradingView, Inc.{' '}
            <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">
              https://www.tradingview.com/
            </a>
          </p>
          <p class="muted">The page loads nothing from other servers.</p>
          <details>
            <summary>Open-source software in this page, with licences</summary>
            <pre class="licences" tabIndex={0}>
              {notice}
            </pre>
          </details>
        </Panel>
        <Panel title="More">
          <ul class="bullets">
            <li>
              <a href="/docs">The API, to try out</a>
            </li>
            <li>
              <a href="/openapi.json">The API as an OpenAPI file</a>
            </li>
            <li>
              <a href="/metrics">Counters for Prometheus</a>
            </li>
            <SignedIn />
          </ul>
        </Panel>
      </div>
    </>
  );
}

function SignedIn(): JSX.Element | null {
  const action = useAction();
  const who = caller.value;
  if (who === null || !who.tokens) return null;
  return (
    <li>
      Signed in as {who.name}, who may {who.role}.{' '}
      <button type="button" class="plain" disabled={action.busy} onClick={() => void action.run(signOut)}>
        Sign out
      </button>
      <Refused error={action.error} />
    </li>
  );
}
