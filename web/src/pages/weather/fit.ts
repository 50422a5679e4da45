// Which columns have room, how wide each becomes, and what of the others stands in lines beneath. Pure. Widths are those of the
// widest thing a column says, so that nothing is cut; what is left over is shared out among those that grow.

export interface Measured {
  id: string;
  /** What its widest content takes, with padding. */
  width: number;
  /** Its share of the room that is left over. */
  grow: number;
  /** Small numbers stay longest where room is short. */
  rank: number;
  /** What it takes in a line beneath the row; `null` where it is left out instead. */
  part: number | null;
  /** Lines of its own beneath the row: a text that takes this many pixels in one line. */
  line?: number;
}

export interface Fitted {
  shown: readonly string[];
  widths: readonly number[];
  below: readonly string[];
  /** Lines beneath that texts and parts take. */
  textLines: number;
  partLines: number;
}

/** Beyond this a text is cut with its whole in the tooltip; none is known that takes so many. */
const TEXT_LINES_MAX = 5;
/** What stands beneath keeps this much from the edges of the table. */
const BESIDE_PX = 22;

/** `must` are shown or stand beneath; `extra` only where there is room beside all of them. Both in the order of the screen. */
export function fit(must: readonly Measured[], extra: readonly Measured[], room: number, beneath: boolean): Fitted {
  const kept = new Set<string>();
  let used = 0;
  const take = (column: Measured): boolean => {
    if (kept.size > 0 && used + column.width > room) return false;
    kept.add(column.id);
    used += column.width;
    return true;
  };
  const all = [...must].sort((a, b) => a.rank - b.rank).map(take);
  if (all.every(Boolean)) [...extra].sort((a, b) => a.rank - b.rank).forEach(take);
  const shown = [...must, ...extra].filter((column) => kept.has(column.id));
  const below = beneath ? [...must, ...extra].filter((column) => !kept.has(column.id) && (column.line !== undefined || (column.part !== null && must.includes(column)))) : [];
  const parts = below.flatMap((column) => (column.line === undefined && column.part !== null ? [column.part] : []));
  const texts = below.flatMap((column) => (column.line === undefined ? [] : [textLines(column.line, room)]));
  return {
    shown: shown.map((column) => column.id),
    widths: shared(shown, Math.max(0, room - used)),
    below: below.map((column) => column.id),
    textLines: texts.reduce((sum, lines) => sum + lines, 0),
    partLines: linesOf(parts, room - BESIDE_PX),
  };
}

/** Lines that a text of this width takes beneath a row. */
export function textLines(width: number, room: number): number {
  return Math.min(TEXT_LINES_MAX, Math.ceil(width / (room - BESIDE_PX)));
}

/** All of the room is given out, so that the table leaves nothing for a column that is none. */
function shared(columns: readonly Measured[], left: number): number[] {
  const shares = columns.reduce((sum, column) => sum + column.grow, 0);
  const widths = columns.map((column) => Math.floor(column.width + (shares === 0 ? 0 : (left * column.grow) / shares)));
  const rest = columns.reduce((sum, column) => sum + column.width, left) - widths.reduce((sum, width) => sum + width, 0);
  return widths.map((width, at) => (at === 0 ? width + rest : width));
}

/** How many lines things of these widths take, one after another. */
export function linesOf(widths: readonly number[], room: number): number {
  let lines = 0;
  let used = Infinity;
  for (const width of widths) {
    if (used + width > room) {
      lines += 1;
      used = 0;
    }
    used += width;
  }
  return lines;
}
