// How features are called: from the catalogue where it knows them, else by their id in plain words.
import { useResource } from '../../api/resource';
import type { Catalogue } from '../../api/types';
import { isRank } from '../../format/feature';

export interface Names {
  spoken: (feature: string) => string;
  isFeature: (name: string) => boolean;
}

export function useNames(): Names {
  const catalogue = useResource<Catalogue>('/api/v1/catalogue');
  const known = new Map((catalogue.data?.items ?? []).map((entry) => [entry.id, entry.spoken]));
  const name = (feature: string): string => known.get(feature) ?? feature.replaceAll('_', ' ');
  return { spoken: (feature) => (isRank(feature) ? `${name(feature)}, rank` : name(feature)), isFeature: (id) => known.has(id) };
}
