// Who of a pair moves first, in words. Pure.
import type { UniverseView } from '../../api/types';

export interface Lead {
  leader: string;
  follower: string;
  minutes: number;
  /** Correlation at that lag. */
  rho: number;
}

/** Pairs whose lag is more than chance, the strongest first. A positive lag says that the pair's first market moves first. */
export function leadsOf(universe: Pick<UniverseView, 'markets' | 'pairs'>): Lead[] {
  return universe.pairs
    .flatMap(({ reading }): Lead[] => {
      const { best, significant } = reading.lead;
      const [a, b] = [universe.markets[reading.a]?.asset, universe.markets[reading.b]?.asset];
      if (significant !== true || best === null || best === undefined || best.lag === 0 || a === undefined || b === undefined) return [];
      const [leader, follower] = best.lag > 0 ? [a, b] : [b, a];
      return [{ leader, follower, minutes: Math.abs(best.lag), rho: best.rho }];
    })
    .sort((x, y) => Math.abs(y.rho) - Math.abs(x.rho));
}
