import { expect } from 'chai';
import type { Pieces } from '../../../src/tokenizer/models/model';
import type { SentencePieceModel } from '../../../src/tokenizer/pretrained/sentencePieceFile';
import { sentenceNormalizer } from '../../../src/tokenizer/sentencePiece/normalizeSentence';
import { SentenceModel } from '../../../src/tokenizer/sentencePiece/sentenceModel';
import { TooCostlyError } from '../../../src/tokenizer/workBounds';
import { makeCharacterMap } from './characterMap';

const none: Pieces = { idOf: () => undefined, pieceOf: () => undefined, size: 0, maxId: -1 };
const file = (kind: number, pieces: SentencePieceModel['pieces']): SentencePieceModel => ({
  kind,
  pieces,
  hasByteFallback: false,
  unknownId: 0,
  bos: undefined,
  eos: undefined,
  unknown: '<unk>',
  hasUnknown: true,
  characterMap: new Uint8Array(),
  addsSpace: true,
  hasSpaceAfter: false,
  removesSpaces: true,
  showsSpaces: true,
});
const long = 'a'.repeat(50_000);

describe('files of SentencePiece', () => {
  for (const [name, kind] of [
    ['Unigram', 1],
    ['BPE', 2],
  ] as const) {
    it(`whose pieces are far too long and alike are given up: ${name}`, () => {
      const pieces = Array.from({ length: 3000 }, (_, i) => ({ piece: 'a'.repeat(i + 1), score: i, type: 1 }));
      expect(() => new SentenceModel(file(kind, pieces), none, () => 0).tokenize(long)).to.throw(TooCostlyError);
      const few = new SentenceModel(file(kind, pieces.slice(0, 2)), none, () => 0).tokenize('aaab');
      expect(few.pieces.join('|')).to.equal(kind === 1 ? 'a|aa|b' : 'aa|a|b');
    });
  }

  it('whose rules are far too long and alike are given up, and longest rules count', () => {
    const spec = file(1, []);
    const map = (rules: Record<string, string>): Uint8Array => Buffer.from(makeCharacterMap(rules), 'base64');
    const deep = sentenceNormalizer({ ...spec, characterMap: map({ ['a'.repeat(3000) + 'b']: 'c' }) }, []);
    expect(() => deep(long, 0)).to.throw(TooCostlyError);
    const longest = sentenceNormalizer({ ...spec, characterMap: map({ a: 'x', ab: 'y', '\t': ' ' }) }, ['keep a']);
    const normalized = longest(' ab a\t\tb keep a ', 3);
    expect(normalized.text).to.equal('▁y▁x▁b▁keep▁a');
    // Each stands for the text up to the next one.
    expect(
      Array.from(normalized.text, (_, i) => [normalized.startOf(i, i + 1), normalized.endOf(i, i + 1)]),
    ).to.deep.equal([
      [4, 6],
      [4, 6],
      [6, 7],
      [7, 8],
      [8, 10],
      [10, 11],
      [11, 12],
      ...Array.from({ length: 6 }, () => [12, 18]),
    ]);
  });
});
