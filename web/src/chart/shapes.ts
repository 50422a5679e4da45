// Shapes the chart reads from elsewhere, in one place.
import type { IHorzScaleBehavior, Time } from 'lightweight-charts';

export type { ChartMark, ChartSession, MarketNow } from '../contract';
export type IHorz = IHorzScaleBehavior<Time>;
