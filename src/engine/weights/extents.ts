import type { PlacedSite } from '../../onnx/name/describeSites';
import { sidesOf } from '../../onnx/name/site';

/** The positions that a run reads. */
export interface ReadPositions {
  /** Positions that were read, with padding; shapes are checked against it. */
  readonly numPositions?: number;
  /** Of these, how many were read by an earlier run, whose keys and values are fed: the weights have no rows for them. */
  readonly numPast?: number;
  /** Positions that a decoder read beside these. */
  readonly numTargetPositions?: number;
  /** Tokens without padding; weights are cut to them. */
  readonly numTokens?: number;
  /** Where the text begins, behind padding before it; 0 where it is not given. */
  readonly firstPosition?: number;
  /** The same of a decoder's own text. */
  readonly numTargetTokens?: number;
}

/** Positions of queries or keys, with and without padding; undefined where they are not known. */
export interface Extent {
  readonly positions: number | undefined;
  readonly tokens: number | undefined;
}

/** The extents of a site's queries and keys: a decoder's text where the site is the decoder's. */
export function extentsOf(
  { component }: Pick<PlacedSite, 'component'>,
  { numPositions, numPast = 0, numTokens, numTargetPositions = 0, numTargetTokens }: ReadPositions,
): readonly [Extent, Extent] {
  const source: Extent = { positions: numPositions, tokens: numPositions === undefined ? undefined : numTokens };
  if (numTargetPositions === 0)
    return [
      numPositions === undefined || numPast === 0
        ? source
        : { positions: numPositions - numPast, tokens: numPositions - numPast },
      source,
    ];
  return sidesOf(component, source, { positions: numTargetPositions, tokens: numTargetTokens });
}
