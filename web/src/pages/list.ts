// Every page: its address and, where the navigation has it, its title there, in this order. Views of the board are tabs of it. What
// stands at the address is found by the page's name. The server answers the same addresses: after a change here, `cargo x gen`.

interface PageSpec {
  /** A part in braces is read from the address. */
  path: string;
  title?: string;
  /** Its name, where neither navigation nor tabs have it. */
  name?: string;
  /** Its name among the tabs of the board. */
  tab?: string;
  /** The page that the navigation marks instead. */
  within?: string;
  /** It is about no moment, so that it has no time machine. */
  timeless?: boolean;
}

export const PAGES = {
  weather: { path: '/', title: 'Weather', tab: 'All markets' },
  regimes: { path: '/regimes', tab: 'Regimes', within: 'weather' },
  volatility: { path: '/volatility', tab: 'Volatility', within: 'weather' },
  funding: { path: '/funding', tab: 'Funding and OI', within: 'weather' },
  universe: { path: '/universe', tab: 'Universe', within: 'weather' },
  cascades: { path: '/cascades', tab: 'Cascades', within: 'weather' },
  scorecard: { path: '/scorecard', title: 'Was it right?' },
  whatif: { path: '/whatif', title: 'What if?', timeless: true },
  paper: { path: '/paper', title: 'On paper' },
  lab: { path: '/lab', title: 'Lab', timeless: true },
  agents: { path: '/agents', name: 'Agents', within: 'lab', timeless: true },
  positions: { path: '/positions', title: 'Positions' },
  alerts: { path: '/alerts', title: 'Alerts' },
  cases: { path: '/cases', name: 'Cases', within: 'alerts', timeless: true },
  feeds: { path: '/feeds', title: 'Feeds' },
  help: { path: '/help', title: 'Help', timeless: true },
  market: { path: '/m/{instrument}', within: 'weather' },
} as const satisfies Record<string, PageSpec>;

export type PageName = keyof typeof PAGES;

/** The views of the board, in the order of their tabs. */
export const TABS = Object.entries(PAGES).flatMap(([page, spec]) => ('tab' in spec ? [{ page: page as PageName, path: spec.path, tab: spec.tab }] : []));

export function pageSpec(page: string): PageSpec | null {
  return (PAGES as Record<string, PageSpec>)[page] ?? null;
}

/** What a page is called, wherever it is listed. */
export function pageTitle(page: string): string {
  const spec = pageSpec(page);
  return spec?.title ?? spec?.tab ?? spec?.name ?? page;
}

/** The component of a page: exported by the file of this name in `<page>/` beside this one. */
export function componentOf(page: string): string {
  return `${page.charAt(0).toUpperCase()}${page.slice(1)}Page`;
}
