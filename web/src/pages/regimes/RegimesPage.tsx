// Regimes (R4.49): agreement of the timeframes, confidence as a bar, the crowd's side, and the multiplier of caution.
import type { JSX } from 'preact';
import { severityOf } from '../../board/axes';
import { TIMEFRAMES, timeframesOf } from '../../board/decode';
import { layout, rows } from '../../board/store';
import type { Row } from '../../board/store';
import type { Axis } from '../../contract';
import { NONE, fixed } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Bar } from '../../ui/Bar';
import { BoardWaiting } from '../../ui/BoardWaiting';
import { CentreBar } from '../../ui/CentreBar';
import { Label } from '../../ui/Label';
import { LongBody, useBody } from '../../ui/LongTable';
import { Panel } from '../../ui/Panel';
import { TrustWords, trustClass } from '../../ui/RowState';
import { Sign } from '../../ui/Sign';
import { useHeldOrder } from '../../ui/order';

const COLUMNS = 8;

function severestFirst(all: readonly Row[]): Row[] {
  return [...all].sort((a, b) => severityOf('risk', b.peekWord('risk')) - severityOf('risk', a.peekWord('risk')) || (a.instrument < b.instrument ? -1 : 1));
}

export function RegimesPage(): JSX.Element {
  return (
    <>
      <h1>Regimes</h1>
      <Panel title="Agreement, confidence, caution" aside={<span>timeframes {TIMEFRAMES.join(', ')}</span>}>
        {rows.value.length === 0 ? <BoardWaiting lines={8} /> : <Table />}
        <p class="muted small">Confidence is a heuristic of agreement and data quality until enough history calibrates it. Bias and multiplier describe; they advise nothing.</p>
      </Panel>
    </>
  );
}

function Table(): JSX.Element {
  const body = useBody();
  const order = useHeldOrder(body, severestFirst, '');
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="table">
      <table class="long" aria-rowcount={order.length + 1}>
        <thead>
          <tr>
            <th scope="col">market</th>
            <th scope="col">risk</th>
            <th scope="col">heat</th>
            <th scope="col">trend by timeframe</th>
            <th scope="col">volatility by timeframe</th>
            <th scope="col" title="of the heat reading; a heuristic unless calibrated, not a probability">
              confidence
            </th>
            <th scope="col" title="crowding on the long side, −1 to 1">
              long bias
            </th>
            <th scope="col" class="num">
              risk multiplier
            </th>
          </tr>
        </thead>
        <LongBody body={body} order={order} columns={COLUMNS}>
          {(row, index) => <RegimeRow key={row.instrument} row={row} index={index} />}
        </LongBody>
      </table>
    </div>
  );
}

function RegimeRow({ row, index }: { row: Row; index: number }): JSX.Element {
  const multiplier = row.number('risk_multiplier');
  return (
    <tr data-row tabIndex={0} aria-rowindex={index} class={trustClass(row)}>
      <th scope="row">
        <a href={hrefTo(marketPath(row.instrument))}>{row.at.symbol}</a> <span class="muted small">{row.at.venue}</span>
        <TrustWords row={row} />
      </th>
      <td>
        <Label axis="risk" label={row.word('risk')} />
      </td>
      <td>
        <Label axis="heat" label={row.word('heat')} />
      </td>
      <td>
        <Frames row={row} axis="trend" />
      </td>
      <td>
        <Frames row={row} axis="volatility" />
      </td>
      <td>
        <Bar value={row.number('confidence')} name="confidence" />
      </td>
      <td>
        <CentreBar value={row.number('long_bias')} name="long bias" />
      </td>
      <td class="num">{multiplier === null ? NONE : `×${fixed(multiplier, 1)}`}</td>
    </tr>
  );
}

function Frames({ row, axis }: { row: Row; axis: Axis }): JSX.Element {
  const words = timeframesOf(layout.value, axis, row.cell(axis === 'trend' ? 'tf_trend' : 'tf_vol')?.value ?? null);
  const known = words.filter((w): w is string => w !== null);
  const most = Math.max(0, ...known.map((w) => known.filter((x) => x === w).length));
  return (
    <span class="frames">
      {words.map((word, at) => (
        <span key={TIMEFRAMES[at]} class="frame" title={`${TIMEFRAMES[at]}: ${word ?? 'not known yet'}`}>
          <span class="muted">{TIMEFRAMES[at]}</span>
          <Sign axis={axis} label={word} />
          <span class="unseen">{word ?? 'not known'}</span>
        </span>
      ))}
      <span class="muted num">{known.length === 0 ? '' : `${most} of ${known.length} agree`}</span>
    </span>
  );
}
