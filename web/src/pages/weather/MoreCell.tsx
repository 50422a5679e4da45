// What stands beneath a row: the headline, and the columns that have no room beside it, each with its name.
import type { ComponentChildren, JSX } from 'preact';
import type { Row } from '../../board/store';
import { AxisText, ChangeText, HeadlineText, MarginText, NumberText, SinceText, isNumberColumn } from './Cells';
import { percent, price } from '../../format/number';
import { Frames } from './Pictures';
import { BY_ID } from './columns';
import type { Fitted } from './fit';

interface Props {
  row: Row;
  fitted: Fitted;
}

/** Signs that say their axis by themselves need no name beside them. */
const NAMELESS = new Set(['margin', 'trend', 'risk', 'volatility', 'tf_trend', 'tf_vol', 'price', 'change_24h']);

export function MoreCell({ row, fitted }: Props): JSX.Element {
  return (
    <td class="c-more" role="cell">
      {fitted.below.includes('headline') && (
        <span class="more-text">
          <HeadlineText row={row} />
        </span>
      )}
      {fitted.below
        .filter((id) => id !== 'headline')
        .map((id) => (
          <span key={id} class={`part part-${id}`}>
            {!NAMELESS.has(id) && <i>{BY_ID.get(id)?.text}</i>} {partOf(row, id)}
          </span>
        ))}
    </td>
  );
}

function partOf(row: Row, id: string): ComponentChildren {
  switch (id) {
    case 'risk':
    case 'trend':
    case 'volatility':
    case 'heat':
      return <AxisText row={row} axis={id} />;
    case 'confidence':
      return <span class="num">{percent(row.number('confidence'), 0)}</span>;
    case 'risk_since':
      return <SinceText row={row} />;
    case 'margin':
      return <MarginText row={row} alone />;
    case 'change_24h':
      return <ChangeText row={row} />;
    case 'tf_trend':
      return <Frames row={row} axis="trend" />;
    case 'tf_vol':
      return <Frames row={row} axis="volatility" />;
    case 'price':
      return <PriceText row={row} />;
    default:
      return isNumberColumn(id) ? <NumberText row={row} column={id} /> : null;
  }
}

function PriceText({ row }: { row: Row }): JSX.Element {
  return <span class="num">{price(row.number('price'))}</span>;
}
