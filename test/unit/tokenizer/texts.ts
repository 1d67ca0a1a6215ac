import * as fc from 'fast-check';

const words = ['def', ' add', 'return', ' the', 'The', 'import', 'self', "don't", "WE'LL", " it's", 'snake_case', 'camelCase', '0xDEADBEEF', '3.14e-10', '12345', ' 1 ', '{}', '=>', '();', '"""'];
const specials = ['<s>', '</s>', '<unk>', '<pad>', '<mask>', '[CLS]', '[SEP]', '[MASK]', '<|endoftext|>', '<|im_start|>', '<extra>', ' <extra> ', 'Day', 'DAY', 'xDayx', '<0x0A>', '▁', '▁▁the', '##s', 'Ġ'];
const spaces = [' ', '  ', '    ', '\t', '\n', '\r\n', '\r', '\n\n', '\u00a0', '\u2003', '\u3000', '\u0085', '\u2028', '\u200b', '\u200d', '\ufeff', '\v', '\f', '\u1680', '\u180e'];
const scripts = ['é', 'e\u0301', 'E\u0301\u0323', 'a\u0323\u0301', 'ﬁ', 'Ⅷ', '½', 'ẞ', 'ß', 'ſ', 'K', 'İ', 'ı', 'ΣΑΣ', 'привет', 'שָׁלוֹם', 'مرحبا', 'لَا', 'नमस्ते', 'क्षि', 'ไทย', '注意力', '力', 'カ\u3099', 'ガ', 'ｶﾞ', '한국', '\u1112\u1161\u11ab', '각\u11a8', '\u0958', '\u212b', 'ｈｅｌｌｏ', '①', '㍿', '\uf900', '\u0344', '\u1e0b\u0323'];
const emoji = ['💩', '🚀', '👩‍👩‍👧', '🇩🇪', '👍🏽', '1️⃣', '❤️', '☃', '𝒳', '𠀀', '\u{1d165}\u{1d16d}', '\u{e0001}'];
const odd = ['\u0000', '\u0001', '\u007f', '\u009f', '\u00ad', '\ufffd', '\ue000', '\u0345', '\u0334', '\u20dd', '·', '’', '“x”', '—', '…', '٣', '৳', '_', '\u203f', '\\', '\u00b2', '\u0375'];

/** Blocks to which no characters are added any more: hosts and the reference library know different versions of Unicode. */
const stableBlocks = [
  [0x0, 0x52f], [0x590, 0x5ff], [0x600, 0x6ff], [0x900, 0x97f], [0xe00, 0xe7f], [0x1100, 0x11ff], [0x1e00, 0x1fff], [0x2000, 0x209f], [0x2100, 0x23ff],
  [0x2500, 0x2b73], [0x3000, 0x30ff], [0x3400, 0x9fff], [0xac00, 0xd7a3], [0xe000, 0xfaff], [0xfb00, 0xfb4f], [0xfe00, 0xfffd], [0x1d400, 0x1d7ff],
  [0x1f300, 0x1f64f], [0x20000, 0x2a6df], [0xe0000, 0xe01ef], [0x10fff0, 0x10ffff],
] as const;
const stableCharacter = fc.constantFrom(...stableBlocks).chain(([from, to]) => fc.integer({ min: from, max: to }).map((codePoint) => String.fromCodePoint(codePoint)));

/** Texts that are hard on tokenizers: scripts, combining marks, emoji, odd spaces, control characters, special tokens. */
export const hardText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...words) },
      { weight: 2, arbitrary: fc.constantFrom(...specials) },
      { weight: 4, arbitrary: fc.constantFrom(...spaces) },
      { weight: 4, arbitrary: fc.constantFrom(...scripts) },
      { weight: 2, arbitrary: fc.constantFrom(...emoji) },
      { weight: 2, arbitrary: fc.constantFrom(...odd) },
      { weight: 2, arbitrary: fc.string({ unit: stableCharacter, maxLength: 4 }) },
      { weight: 2, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 8 }) },
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''));
