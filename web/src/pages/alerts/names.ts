// How features are called: from the catalogue where it knows them, else by their id in plain words.
import { useResource } from '../../api/resource';
import type { Catalogue } from '../../api/types';

export interface Names {
  spoken: (feature: string) => string;
  isFeature: (name: string) => boolean;
}

export function useNames(): Names {
  const catalogue = useResource<Catalogue>('/api/v1/catalogue');
  const known = new Map((catalogue.data?.items ?? []).map((entry) => [entry.id, entry.spoken]));
  return { spoken: (feature) => known.get(feature) ?? feature.replaceAll('_', ' '), isFeature: (name) => known.has(name) };
}
