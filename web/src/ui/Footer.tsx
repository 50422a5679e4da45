// What stands under every page: what this is not, whose charts these are, and by which rules it judges.
import type { JSX } from 'preact';
import { logicVersion } from '../board/store';
import { hrefTo } from '../state/place';

export function Footer(): JSX.Element {
  return (
    <footer class="foot muted">
      <span>Context for a person who decides. No advice to trade.</span>
      <span>
        <a href={hrefTo('/help')}>Help</a> · <a href="/docs">API</a> · charts by{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">
          TradingView
        </a>
        {logicVersion.value !== '' && <> · logic {logicVersion.value}</>}
      </span>
    </footer>
  );
}
