// How much room there is, for what a style sheet alone cannot decide: rows of a long table have one height, and it depends on how
// many lines they take.
import { signal } from '@preact/signals';

export type Room = 'wide' | 'narrow' | 'phone';

/** The same widths as in styles/table.css. */
const narrow = window.matchMedia('(max-width: 1240px)');
const phone = window.matchMedia('(max-width: 760px)');

function roomNow(): Room {
  return phone.matches ? 'phone' : narrow.matches ? 'narrow' : 'wide';
}

export const room = signal<Room>(roomNow());

for (const query of [narrow, phone]) {
  query.addEventListener('change', () => {
    room.value = roomNow();
  });
}
