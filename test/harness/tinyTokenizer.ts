/** The vocabulary of {@link tinyTokenizer}, ids in order: printable ASCII, space, newline, tab. All fit a model that knows 99 ids. */
export const tinyVocabulary: readonly string[] = [
  ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)),
  'Ġ',
  'Ċ',
  'ĉ',
];

/** A tokenizer that makes one token of each byte it knows. */
export function tinyTokenizer(vocabulary: readonly string[] = tinyVocabulary): string {
  return JSON.stringify({
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(vocabulary.map((piece, id) => [piece, id])), merges: [] },
  });
}

/** The tests' tokenizer with the special tokens of scripts/fixtures/pictured.py; where `begins`, one of them stands before every text. */
export function picturedTokenizer(begins = false): string {
  const special = {
    97: '<image>',
    98: '<fake_token_around_image>',
    99: '<global-img>',
    100: '<start_of_image>',
    101: '<end_of_image>',
    102: '<bos>',
    103: '<img>',
    104: '</img>',
    ...Object.fromEntries(
      Array.from({ length: 6 }, (_, i) => [105 + i, `<row_${Math.floor(i / 3) + 1}_col_${(i % 3) + 1}>`]),
    ),
  };
  const first = { SpecialToken: { id: '<bos>', type_id: 0 } };
  return JSON.stringify({
    ...(JSON.parse(tinyTokenizer()) as object), // made by the line before
    added_tokens: Object.entries(special).map(([id, content]) => ({
      id: Number(id),
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    ...(begins
      ? {
          post_processor: {
            type: 'TemplateProcessing',
            single: [first, { Sequence: { id: 'A', type_id: 0 } }],
            pair: [first, { Sequence: { id: 'A', type_id: 0 } }, first, { Sequence: { id: 'B', type_id: 1 } }],
            special_tokens: { '<bos>': { id: '<bos>', ids: [102], tokens: ['<bos>'] } },
          },
        }
      : {}),
  });
}
