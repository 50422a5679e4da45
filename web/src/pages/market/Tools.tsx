// The tools of the chart: compare, measure, lines, what is drawn, scale, size, and what can be taken along.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { baseOf } from '../../board/decode';
import { rows } from '../../board/store';
import { PANES, PANE_WORDS } from '../../chart/panes';
import type { Tool } from '../../chart/pointer';
import { ZONES, chooseZone, zoneChosen } from '../../format/zone';
import { setParams } from '../../state/place';
import { Icon } from '../../ui/Icon';
import type { IconName } from '../../ui/Icon';
import { Menu } from '../../ui/Menu';
import { Check } from './Check';
import { LAYERS, LAYER_WORDS, prefer, prefs, toggled } from './prefs';
import { SignalChoices } from './signals';

interface Props {
  instrument: string;
  compared: string | null;
  tool: Tool;
  use: (tool: Tool) => void;
  full: boolean;
  toggleFull: () => void;
  /** The chart as a picture, and as a table. */
  png: () => void;
  csv: () => void;
}

export function Tools({ instrument, compared, tool, use, full, toggleFull, png, csv }: Props): JSX.Element {
  const { layers, panes, log, wide } = prefs.value;
  return (
    <span class="chart-tools">
      <Compare instrument={instrument} compared={compared} />
      <Toggle name="measure: drag from one point to another, or hold Shift" icon="measure" on={tool === 'measure'} flip={() => use(tool === 'measure' ? 'none' : 'measure')} />
      <Toggle name="draw a line: click a price" icon="line" on={tool === 'line'} flip={() => use(tool === 'line' ? 'none' : 'line')} />
      <Menu name="what the chart shows" icon="layers">
        {() => (
          <>
            <h3>On the chart</h3>
            {LAYERS.map((layer) => (
              <Check key={layer} on={layers.includes(layer)} flip={() => prefer({ layers: toggled(layers, layer) })}>
                {LAYER_WORDS[layer]}
              </Check>
            ))}
            <h3>Beside it</h3>
            {PANES.map((pane) => (
              <Check key={pane} on={panes.includes(pane)} flip={() => prefer({ panes: toggled(panes, pane) })}>
                {PANE_WORDS[pane]}
              </Check>
            ))}
            <SignalChoices instrument={instrument} />
            <h3>Scale</h3>
            <Check on={log} flip={() => prefer({ log: !log })}>
              logarithmic
            </Check>
            <label class="check">
              times in{' '}
              <select class="zone" value={zoneChosen.value} onChange={(event) => chooseZone(event.currentTarget.value)}>
                {ZONES.map(([name, text]) => (
                  <option key={name} value={name}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
      </Menu>
      <Toggle name="the chart over the whole width" icon="wide" on={wide} flip={() => prefer({ wide: !wide })} />
      <Toggle name="full screen" icon="full" on={full} flip={toggleFull} />
      <Share png={png} csv={csv} />
    </span>
  );
}

function Toggle({ name, icon, on, flip }: { name: string; icon: IconName; on: boolean; flip: () => void }): JSX.Element {
  return (
    <button type="button" class="icon" aria-pressed={on} aria-label={name} title={name} onClick={flip}>
      <Icon name={icon} />
    </button>
  );
}

const OFFERED_MAX = 400;

function Compare({ instrument, compared }: { instrument: string; compared: string | null }): JSX.Element {
  const others = rows.value.map((row) => row.instrument).filter((name) => name !== instrument);
  const known = compared !== null && !others.includes(compared) ? [compared, ...others] : others;
  return (
    <label class="compare">
      <span class="unseen">compare with</span>
      <select value={compared ?? ''} title="compare with another market, in percent" onChange={(event) => setParams({ compare: event.currentTarget.value }, false)}>
        <option value="">Compare</option>
        {known.slice(0, OFFERED_MAX).map((name) => {
          const [venue = '', symbol = name] = name.split(/:(.*)/s);
          return (
            <option key={name} value={name}>
              {baseOf(symbol)} · {venue}
            </option>
          );
        })}
      </select>
    </label>
  );
}

function Share({ png, csv }: { png: () => void; csv: () => void }): JSX.Element {
  const [copied, setCopied] = useState<boolean | null>(null);
  const copy = (): void => {
    const text = window.location.href;
    // Only pages of this machine or behind TLS may write the clipboard.
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    done.then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <Menu name="take it along" icon="share">
      {(close) => (
        <>
          <button type="button" class="plain" onClick={copy}>
            Copy link
          </button>
          <span role="status" class="muted small">
            {copied === null ? '' : copied ? 'Copied.' : 'This browser does not let a page copy; the link is the address above.'}
          </span>
          <button
            type="button"
            class="plain"
            onClick={() => {
              png();
              close();
            }}
          >
            Picture (PNG)
          </button>
          <button
            type="button"
            class="plain"
            onClick={() => {
              csv();
              close();
            }}
          >
            Table (CSV)
          </button>
        </>
      )}
    </Menu>
  );
}
