// What can be taken along from the chart: its bars as a table, and what is on show as a picture with a line that says what it is.
import type { ChartRow } from '../../chart/bars';
import type { SignalLine } from '../../chart/signals';
import { TRACK_HEIGHT } from '../../chart/track';
import { iso } from '../../format/time';

const COLUMNS: readonly (readonly [name: string, of: (row: ChartRow) => string | number | null])[] = [
  ['open_time', (row) => iso(row.t * 1_000)],
  ['open', (row) => row.open],
  ['high', (row) => row.high],
  ['low', (row) => row.low],
  ['close', (row) => row.close],
  ['volume', (row) => row.volume],
  ['risk', (row) => row.labels.risk],
  ['trend', (row) => row.labels.trend],
  ['volatility', (row) => row.labels.volatility],
  ['heat', (row) => row.labels.heat],
  ['funding_8h', (row) => row.funding],
  ['open_interest', (row) => row.oi],
  ['vol_1h_annualised', (row) => row.vol],
  ['liquidated_longs', (row) => row.liqLong],
  ['liquidated_shorts', (row) => row.liqShort],
];

/** Bars as they are shown, holes left out; what is not known is empty. */
export function csvOf(rows: readonly ChartRow[], signals: readonly SignalLine[] = []): string {
  const columns = [...COLUMNS, ...signals.map(({ title, at }) => [title, (row: ChartRow) => at.get(row.t)?.value ?? null] as const)];
  const lines = rows.filter((row) => row.close !== null).map((row) => columns.map(([, of]) => of(row) ?? '').join(','));
  return [columns.map(([name]) => (name.includes(',') || name.includes('"') ? `"${name.replaceAll('"', '""')}"` : name)).join(','), ...lines, ''].join('\n');
}

/** `binance-usdm_BTCUSDT_1h_2026-02-05T1435`. */
export function fileName(instrument: string, interval: string, moment: number): string {
  return `${instrument.replace(/[^A-Za-z0-9-]+/g, '_')}_${interval}_${iso(moment).slice(0, 16).replace(':', '')}`;
}

export function save(name: string, what: Blob): void {
  const address = URL.createObjectURL(what);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads the address once the click has been dealt with.
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const CAPTION = 26;

/** The chart, the ribbon under it, and what it is. */
export function picture(chart: HTMLCanvasElement, track: HTMLCanvasElement | null, caption: string, colours: { surface: string; text: string }): HTMLCanvasElement {
  const ratio = window.devicePixelRatio || 1;
  const out = document.createElement('canvas');
  const under = track === null ? 0 : TRACK_HEIGHT * ratio;
  [out.width, out.height] = [chart.width, chart.height + under + CAPTION * ratio];
  const context = out.getContext('2d');
  if (context === null) return chart;
  context.fillStyle = colours.surface;
  context.fillRect(0, 0, out.width, out.height);
  context.drawImage(chart, 0, CAPTION * ratio);
  if (track !== null) context.drawImage(track, 0, CAPTION * ratio + chart.height);
  context.fillStyle = colours.text;
  context.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  context.fillText(caption, 10 * ratio, (CAPTION / 2) * ratio);
  return out;
}
