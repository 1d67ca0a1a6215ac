import type { GraphIndex } from './graphIndex';
import type { FoundSite, MissedSite } from './site';

/** Finds operators that compute attention inside themselves. */
export function findFusedSites(index: GraphIndex): { readonly sites: readonly FoundSite[]; readonly missed: readonly MissedSite[] } {
  void index;
  return { sites: [], missed: [] };
}
