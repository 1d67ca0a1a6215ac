#!/usr/bin/env node
// Writes src/tokenizer/unicode/tables.ts: the character classes of the reference tokenizer library, which stay at the
// Unicode versions of its crates (8 and 9) while every JavaScript host has a newer one. Asks the library itself.
import { writeFileSync } from 'node:fs';
import { Tokenizer } from 'tokenizers';

const codePoints = [];
for (let c = 0; c < 0x110000; c++) if (c < 0xd800 || c > 0xdfff) codePoints.push(c);

const shell = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
};
const model = { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' };
const tokenizerWith = (part) => Tokenizer.fromString(JSON.stringify({ ...shell, model, ...part }));
const normalizer = (config) => tokenizerWith({ normalizer: config }).getNormalizer();

/** Code points that the normalizer removes from between two letters. */
function removedBy(config) {
  const reference = normalizer(config);
  return codePoints.filter((c) => reference.normalizeString(`a${String.fromCodePoint(c)}b`) === 'ab');
}

/** Code points that the pre-tokenizer cuts a text at. */
function cutBy(config) {
  const reference = tokenizerWith({ pre_tokenizer: config }).getPreTokenizer();
  return codePoints.filter((c) => reference.preTokenizeString(`a${String.fromCodePoint(c)}b`).length > 1);
}

const bert = {
  type: 'BertNormalizer',
  clean_text: false,
  handle_chinese_chars: false,
  strip_accents: false,
  lowercase: false,
};
const marks = removedBy({ type: 'StripAccents' });
const nonspacing = removedBy({ ...bert, strip_accents: true });
const control = removedBy({ ...bert, clean_text: true });
const punctuation = cutBy({ type: 'Punctuation', behavior: 'Isolated' });

// A character without a script is joined to whatever stands before it.
const scriptCutter = tokenizerWith({ pre_tokenizer: { type: 'UnicodeScripts' } }).getPreTokenizer();
const scripted = codePoints.filter((c) =>
  ['a', 'β'].some((before) => scriptCutter.preTokenizeString(before + String.fromCodePoint(c)).length > 1),
);

const undecomposed = ['NFD', 'NFKD'].map((form) => {
  const reference = normalizer({ type: form });
  return codePoints.filter((c) => {
    const text = String.fromCodePoint(c);
    return text.normalize(form) !== text && reference.normalizeString(text) === text;
  });
});

// One character of each canonical combining class: a mark's class is found by which of these sort before it.
const classes = Object.entries({
  1: 0x334,
  7: 0x93c,
  8: 0x3099,
  9: 0x94d,
  10: 0x5b0,
  11: 0x5b1,
  12: 0x5b2,
  13: 0x5b3,
  14: 0x5b4,
  15: 0x5b5,
  16: 0x5b6,
  17: 0x5b7,
  18: 0x5b8,
  19: 0x5b9,
  20: 0x5bb,
  21: 0x5bc,
  22: 0x5bd,
  23: 0x5bf,
  24: 0x5c1,
  25: 0x5c2,
  26: 0xfb1e,
  27: 0x64b,
  28: 0x64c,
  29: 0x64d,
  30: 0x64e,
  31: 0x64f,
  32: 0x650,
  33: 0x651,
  34: 0x652,
  35: 0x670,
  36: 0x711,
  84: 0xc55,
  91: 0xc56,
  103: 0xe38,
  107: 0xe48,
  118: 0xeb8,
  122: 0xec8,
  129: 0xf71,
  130: 0xf72,
  132: 0xf74,
  202: 0x321,
  214: 0x1dce,
  216: 0x31b,
  218: 0x302a,
  220: 0x316,
  222: 0x59a,
  224: 0x302e,
  226: 0x1d16d,
  228: 0x5ae,
  230: 0x300,
  232: 0x315,
  233: 0x35c,
  234: 0x35d,
  240: 0x345,
}).map(([value, c]) => [Number(value), String.fromCodePoint(c)]);
const nfd = normalizer({ type: 'NFD' });
const isSwapped = (a, b) => nfd.normalizeString(a + b) === b + a && a !== b;

function combiningClass(c) {
  const text = nfd.normalizeString(String.fromCodePoint(c));
  if ([...text].length !== 1 || text.codePointAt(0) !== c) return 0; // never looked at: it is decomposed first
  if (!isSwapped('\u0345', text) && !isSwapped(text, '\u0334') && text !== '\u0345' && text !== '\u0334') return 0;
  for (const [value, sample] of classes)
    if (text === sample || !isSwapped(text, sample)) if (!isSwapped(sample, text)) return value;
  throw new Error(`No combining class for ${c.toString(16)}`);
}

/** Runs of code points as pairs «gap since the last run, length», in base 36. */
function pack(sorted) {
  const runs = [];
  let end = 0;
  for (let i = 0; i < sorted.length;) {
    let length = 1;
    while (sorted[i + length] === sorted[i] + length) length++;
    runs.push(`${(sorted[i] - end).toString(36)} ${length.toString(36)}`);
    end = sorted[i] + length;
    i += length;
  }
  return runs.join(' ');
}

const byClass = new Map();
for (const c of marks) {
  const value = combiningClass(c);
  if (value > 0) byClass.set(value, [...(byClass.get(value) ?? []), c]);
}

const entry = (name, comment, value) => `/** ${comment} */\nexport const ${name} = '${value}';\n`;
writeFileSync(
  new URL('../src/tokenizer/unicode/tables.ts', import.meta.url),
  `// Written by scripts/tokenizerUnicode.mjs. Each string holds runs of code points: the gap since the last run and the
// length, in base 36. The reference library keeps these classes at Unicode 8 and 9, whatever the host knows.

${entry('markRuns', 'Marks (Mn, Mc, Me) of Unicode 9, which StripAccents removes.', pack(marks))}
${entry('nonspacingMarkRuns', 'Nonspacing marks (Mn) of Unicode 8, which the BERT normalizer removes.', pack(nonspacing))}
${entry('controlRuns', 'Control, format and private-use characters (Cc, Cf, Co) and U+FFFD, which the BERT normalizer cleans away.', pack(control))}
${entry('punctuationRuns', 'ASCII punctuation and symbols, and punctuation (P) of Unicode 8.', pack(punctuation))}
${entry('scriptedRuns', 'Characters that have a script, in the Unicode 9 table of UnicodeScripts.', pack(scripted))}
${entry('undecomposedRuns', 'Characters newer than Unicode 9 that canonical normalisation leaves alone.', pack(undecomposed[0]))}
${entry('compatUndecomposedRuns', 'Characters newer than Unicode 9 that compatibility normalisation leaves alone.', pack(undecomposed[1]))}
/** Canonical combining classes of Unicode 9, other than 0. */
export const combiningClassRuns: Readonly<Record<number, string>> = {
${[...byClass]
  .sort((a, b) => a[0] - b[0])
  .map(([value, list]) => `  ${value}: '${pack(list)}',`)
  .join('\n')}
};
`,
);
