import { expect } from 'chai';
import { givenTarget, writtenTarget } from '../../../../src/engine/text/targetText';
import { visibleNext } from '../../../../src/model/token';
import { Tokenizer } from '../../../../src/tokenizer/tokenizer';
import { readFixtureText } from '../../../harness/fixtures';

describe('targets', () => {
  let bytes: Tokenizer;
  let words: Tokenizer;
  before(async () => {
    bytes = Tokenizer.fromJson(await readFixtureText('seq2seq/bart.whole/tokenizer.json'));
    words = Tokenizer.fromJson(await readFixtureText('seq2seq/t5.split/tokenizer.json'));
  });

  it('that a model wrote have each token at its place, and special ones at none', () => {
    const text = 'May 1979 🎉 ü';
    const ids = [2, 0, ...bytes.encode(text, { addSpecialTokens: false }).ids];
    const stream = writtenTarget(bytes, { ids, endId: 2 });
    expect(stream.text).to.equal(text);
    expect(stream.tokens.slice(0, 2)).to.deep.equal([
      { id: 2, piece: '</s>', start: 0, end: 0, isSpecial: true },
      { id: 0, piece: '<s>', start: 0, end: 0, isSpecial: true },
    ]);
    const party = text.indexOf('🎉');
    const parts = stream.tokens.filter(({ start, end }) => start === party && end === party + 2);
    // Each byte of the picture is a token of its own, and all stand for the whole of it.
    expect(parts).to.have.lengthOf(4);
    for (const { start, end } of stream.tokens)
      expect(() => encodeURIComponent(text.slice(start, end)), 'half a character').not.to.throw();
    expect(stream.tokens.at(-1)?.end).to.equal(text.length);
    expect(visibleNext(stream, 0)).to.equal('<s>');
    expect(visibleNext(stream, ids.length - 1)).to.equal('</s>');
  });

  it('that are not UTF-8, or that a tokenizer with word marks made, keep their order', () => {
    for (const [tokenizer, ids] of [
      [bytes, [2, 0, 250, 240, 251, 30, 240]],
      [words, [0, 8, 3, 8, 12, 99999, 18, 1, 7]],
    ] as const) {
      const stream = writtenTarget(tokenizer, { ids, endId: undefined });
      expect(stream.text).to.equal(tokenizer.decode(ids));
      let last = 0;
      for (const { start, end } of stream.tokens) {
        expect(start).to.be.at.least(0);
        expect(end).to.be.within(Math.max(start, last), stream.text.length);
        last = end;
      }
      expect(last).to.equal(stream.text.length);
      expect(visibleNext(stream, ids.length - 1)).to.equal(undefined);
    }
  });

  it('that a model wrote hide nothing, and each token stays at its place', () => {
    const hidden = {
      '\u202eabc': '\ufffdabc',
      'a\u0000\u001b[31mb': 'a␀␛[31mb',
      'x\u200b\u2066y\r\nz': 'x\ufffd\ufffdy\nz',
      'a\u{e0041}b': 'a\ufffdb',
    };
    for (const [text, visible] of Object.entries(hidden)) {
      const ids = [...bytes.encode(text, { addSpecialTokens: false }).ids];
      const stream = writtenTarget(bytes, { ids, endId: undefined });
      expect(stream.text, visible).to.equal(visible);
      let last = 0;
      for (const { start, end } of stream.tokens) {
        expect(end, visible).to.be.within(Math.max(start, last), visible.length);
        last = end;
      }
      expect(last, visible).to.equal(visible.length);
      expect(visible.endsWith(stream.text.slice(stream.tokens.at(-1)?.start)), visible).to.equal(true);
    }
  });

  it('of the person are read as in training: the start first, the language that is forced, the end not', () => {
    const rules = { startId: 2, endIds: new Set([2]), forcedFirstId: undefined };
    const own = givenTarget(bytes, 'May', rules);
    expect(own.tokens.map(({ piece }) => piece)).to.deep.equal(['</s>', '<s>', 'M', 'ay']);
    expect(own.tokens.map(({ start, end }) => [start, end])).to.deep.equal([
      [0, 0],
      [0, 0],
      [0, 1],
      [1, 3],
    ]);
    expect(own.target).to.deep.equal({ isWritten: false, ending: '</s>' });
    expect(givenTarget(bytes, 'May', { ...rules, forcedFirstId: 3 }).tokens.map(({ piece }) => piece)).to.deep.equal([
      '</s>',
      '<unk>',
      'M',
      'ay',
    ]);
    expect(givenTarget(bytes, 'May', { ...rules, startId: 0 }).tokens.map(({ piece }) => piece)).to.deep.equal([
      '<s>',
      'M',
      'ay',
    ]);
    expect(givenTarget(bytes, '', rules).tokens.map(({ piece }) => piece)).to.deep.equal(['</s>', '<s>']);
    expect(
      givenTarget(words, '1979', { startId: 0, endIds: new Set([1]), forcedFirstId: undefined }).tokens[0].piece,
    ).to.equal('<pad>');
  });
});
