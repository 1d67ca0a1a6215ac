/**
 * How the weights of an attention are got: its tensor made an output; its operator asked for them; computed anew from its inputs; or
 * derived, for attention that has no such matrix (linear attention: φ(q)φ(k)ᵀ, each row divided by its sum).
 */
export type ExtractionMethod = 'exposed' | 'probed' | 'rebuilt' | 'derived';
