// Every page: its address and, where the navigation has it, its title there, in this order. What stands at the address is found by
// the page's name. The server answers the same addresses: after a change here, `cargo x gen`.

interface PageSpec {
  /** A part in braces is read from the address. */
  path: string;
  title?: string;
  /** The page that the navigation marks instead. */
  within?: string;
  /** It is about no moment, so that it has no time machine. */
  timeless?: boolean;
}

export const PAGES = {
  weather: { path: '/', title: 'Weather' },
  regimes: { path: '/regimes', title: 'Regimes' },
  universe: { path: '/universe', title: 'Universe' },
  cascades: { path: '/cascades', title: 'Cascades' },
  volatility: { path: '/volatility', title: 'Volatility' },
  scorecard: { path: '/scorecard', title: 'Was it right?' },
  whatif: { path: '/whatif', title: 'What if?', timeless: true },
  paper: { path: '/paper', title: 'On paper' },
  lab: { path: '/lab', title: 'Lab', timeless: true },
  positions: { path: '/positions', title: 'Positions' },
  alerts: { path: '/alerts', title: 'Alerts' },
  feeds: { path: '/feeds', title: 'Feeds' },
  help: { path: '/help', title: 'Help', timeless: true },
  market: { path: '/m/{instrument}', within: 'weather' },
} as const satisfies Record<string, PageSpec>;

export type PageName = keyof typeof PAGES;

export function pageSpec(page: string): PageSpec | null {
  return (PAGES as Record<string, PageSpec>)[page] ?? null;
}

/** The component of a page: exported by the file of this name in `<page>/` beside this one. */
export function componentOf(page: string): string {
  return `${page.charAt(0).toUpperCase()}${page.slice(1)}Page`;
}
