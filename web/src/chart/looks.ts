// How the chart looks, in the colours of the theme; and how its axis speaks.
import { ColorType, CrosshairMode } from 'lightweight-charts';
import type { TickMarkType, Time } from 'lightweight-charts';
import { faded } from './colours';
import type { Colours } from './colours';
import { fullText, tickText } from './timeaxis';

export function looks(colours: Colours, zone: string): object {
  const { surface, muted, line: rule } = colours;
  const cross = { color: faded(muted, 0.5), labelBackgroundColor: colours['line-strong'] };
  return {
    layout: {
      background: { type: ColorType.Solid, color: surface },
      textColor: muted,
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      // Its logo brings a style of its own, which our policy refuses; the link it stands for is above the chart.
      attributionLogo: false,
      panes: { separatorColor: rule, enableResize: true },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: faded(rule, 0.6) } },
    rightPriceScale: { borderVisible: false, entireTextOnly: true, scaleMargins: { top: 0.12, bottom: 0.06 }, minimumWidth: 64 },
    timeScale: {
      borderColor: rule,
      timeVisible: true,
      secondsVisible: false,
      rightOffset: 4,
      minBarSpacing: 0.6,
      shiftVisibleRangeOnNewBar: false,
      tickMarkFormatter: (time: Time, kind: TickMarkType) => tickText(time, kind, zone),
    },
    localization: { dateFormat: 'dd MMM yy', timeFormatter: (time: Time) => fullText(time, zone) },
    crosshair: { mode: CrosshairMode.Normal, vertLine: cross, horzLine: cross },
  };
}
