/** Names of files that stand for a tokenizer where a folder has no tokenizer.json; what goes first is looked for first. */
export const vocabularyNames = [
  'vocab.txt',
  'vocab.json',
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'sentencepiece.model',
  'spm.model',
  'tiktoken.model',
  'tekken.json',
] as const;

/** Names of files beside a tokenizer on which its tokens depend. */
export const tokenizerCompanions = [
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'merges.txt',
  'entity_vocab.json',
  'source.spm',
  'target.spm',
  'target_vocab.json',
] as const;

/** Whether a folder with files of these names holds a tokenizer. */
export function holdsTokenizer(names: readonly string[]): boolean {
  return names.includes('tokenizer.json') || vocabularyNames.some((name) => names.includes(name));
}

/** Whether a file is a vocabulary, and not a tokenizer.json under some name. */
export function isVocabulary(name: string): boolean {
  return vocabularyNames.some((known) => known === name) || /\.(?:txt|model|spm)$/i.test(name);
}
