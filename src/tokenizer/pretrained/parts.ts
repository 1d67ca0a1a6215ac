/** A step of a tokenizer as a tokenizer.json describes it. */
export type Part = Readonly<Record<string, unknown>>;

/** A regular expression of a step. */
export const regex = (source: string): Part => ({ Regex: source });

export const replace = (pattern: Part | string, content: string): Part => ({
  type: 'Replace',
  pattern: typeof pattern === 'string' ? { String: pattern } : pattern,
  content,
});

export const normalizers = (...steps: readonly (Part | undefined)[]): Part => ({
  type: 'Sequence',
  normalizers: steps.filter((step) => step !== undefined),
});

export const preTokenizers = (...steps: readonly (Part | undefined)[]): Part => ({
  type: 'Sequence',
  pretokenizers: steps.filter((step) => step !== undefined),
});

export const decoders = (...steps: readonly Part[]): Part => ({ type: 'Sequence', decoders: steps });

/** SentencePiece's compiled rules, if there are any. */
export function precompiled(characterMap: string | Uint8Array | undefined): Part | undefined {
  return characterMap === undefined ? undefined : { type: 'Precompiled', precompiled_charsmap: characterMap };
}

/** SentencePiece's visible spaces, as pre-tokenizer and as decoder. */
export const metaspace = (scheme: 'always' | 'first' | 'never', splits = true): Part => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme: scheme,
  split: splits,
});

export const byteLevel = (addsSpace: boolean, { usesWords = true, trimsOffsets = true } = {}): Part => ({
  type: 'ByteLevel',
  add_prefix_space: addsSpace,
  use_regex: usesWords,
  trim_offsets: trimsOffsets,
});

export const split = (pattern: Part, behavior: string, inverts = false): Part => ({
  type: 'Split',
  pattern,
  behavior,
  invert: inverts,
});

/** Decodes the pieces of byte-level models. */
export const byteLevelDecoder: Part = {
  type: 'ByteLevel',
  add_prefix_space: true,
  trim_offsets: true,
  use_regex: true,
};

/** Decodes SentencePiece's pieces where single bytes can stand for characters. */
export const byteFallbackDecoder = (stripsSpace: boolean): Part =>
  decoders(
    replaceInDecoder,
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(stripsSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  );

const replaceInDecoder: Part = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };

/** A text (`$A`, `$B`) or a special token of a template, with its type. */
export type TemplatePiece = readonly [piece: string, type?: number];

/** A template around one text and around two. */
export function template(
  single: readonly TemplatePiece[],
  pair: readonly TemplatePiece[],
  ids: ReadonlyMap<string, number>,
): Part {
  const write = ([piece, type = 0]: TemplatePiece): Part =>
    piece === '$A' || piece === '$B'
      ? { Sequence: { id: piece.slice(1), type_id: type } }
      : { SpecialToken: { id: piece, type_id: type } };
  return {
    type: 'TemplateProcessing',
    single: single.map(write),
    pair: pair.map(write),
    special_tokens: new Map([...ids].map(([piece, id]) => [piece, { id: piece, ids: [id], tokens: [piece] }])),
  };
}
