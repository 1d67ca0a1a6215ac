import { expect } from 'chai';
import type { Token, TokenStream } from '../../../src/model/token';
import { tokensOfUnit, unitAt, unitsOf, unitStream } from '../../../src/model/units';

/** A stream of tokens that are these parts of a text, one after the other; parts in angle brackets are special and stand for no text. */
function streamOf(...parts: string[]): TokenStream {
  let text = '';
  const tokens: Token[] = [];
  for (const part of parts) {
    const isSpecial = /^<.+>$/.test(part);
    const start = text.length;
    if (!isSpecial) text += part;
    tokens.push({ id: tokens.length, piece: `▁${part}`, start, end: text.length, isSpecial });
  }
  return { role: 'source', text, tokens };
}

const textsOf = (
  stream: TokenStream,
  level: 'word' | 'line' | 'symbol',
  symbols = [] as { start: number; end: number }[],
) => {
  const units = unitsOf(
    stream,
    level,
    symbols.map((symbol) => ({ ...symbol, name: 's' })),
  );
  if (units === undefined) throw new Error('no units');
  const { tokens, text } = unitStream(stream, units);
  return Array.from(units.starts, (_, unit) =>
    tokens[unit].isSpecial ? tokens[unit].piece : text.slice(tokens[unit].start, tokens[unit].end),
  );
};

describe('units of a text', () => {
  it('are words by the text itself, whatever marks the tokenizer has', () => {
    expect(textsOf(streamOf('def', ' fib', 'on', 'acci', '(', 'n', '_', '1', ')', ':'), 'word')).to.deep.equal([
      'def',
      'fibonacci',
      '(',
      'n_1',
      ')',
      ':',
    ]);
    expect(textsOf(streamOf('I', ' don', "'", 't', ' know', '...', ' "', 'x', '"'), 'word')).to.deep.equal([
      'I',
      "don't",
      'know',
      '...',
      '"',
      'x',
      '"',
    ]);
    // A quotation is no contraction.
    expect(textsOf(streamOf('f', "'", 'x', "'"), 'word')).to.deep.equal(['f', "'", 'x', "'"]);
    expect(textsOf(streamOf('self', '.', 'x', '((', ')', ')'), 'word')).to.deep.equal([
      'self',
      '.',
      'x',
      '((',
      ')',
      ')',
    ]);
  });

  it('are words of texts without blanks by the host’s own dictionary', () => {
    expect(textsOf(streamOf('我', '喜', '欢', '猫'), 'word')).to.deep.equal(['我', '喜欢', '猫']);
  });

  it('keep special tokens by themselves, also within a line', () => {
    expect(textsOf(streamOf('<s>', 'a', ' b', '<sep>', ' c', '</s>'), 'line')).to.deep.equal([
      '▁<s>',
      'a b',
      '▁<sep>',
      'c',
      '▁</s>',
    ]);
    expect(textsOf(streamOf('<s>', '<s>', 'a'), 'word')).to.deep.equal(['▁<s>', '▁<s>', 'a']);
  });

  it('give a token across two lines to the line of its first character that is no blank', () => {
    const stream = streamOf('a', ' =', ' 1', '\n    b', ' += 2', ';\n', '\n', '\nc');
    expect(textsOf(stream, 'line')).to.deep.equal(['a = 1', 'b += 2;', '\n', 'c']);
    expect(unitStream(stream, unitsOf(stream, 'line')).units?.lines).to.deep.equal([
      [0, 0],
      [1, 1],
      [2, 2],
      [4, 4],
    ]);
  });

  it('count lines by \\r\\n, \\n and \\r alike', () => {
    expect(textsOf(streamOf('a', '\r\n', 'b', '\r', 'c', '\n', 'd'), 'line')).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('keep bytes of one character together, whose offsets are the same', () => {
    const text = 'x🙂y';
    const at = (start: number, end: number): Token => ({ id: 0, piece: '', start, end, isSpecial: false });
    const stream: TokenStream = { role: 'source', text, tokens: [at(0, 1), at(1, 3), at(1, 3), at(1, 3), at(3, 4)] };
    const units = unitsOf(stream, 'word');
    expect([...(units?.starts ?? [])]).to.deep.equal([0, 1, 4]);
    expect(units && [0, 1, 2, 3, 4].map((position) => unitAt(units, position))).to.deep.equal([0, 1, 1, 1, 2]);
    expect(units && tokensOfUnit(units, 1)).to.deep.equal([1, 4]);
  });

  it('are symbols by the innermost around each place, in the order of the text', () => {
    const stream = streamOf('class A:\n', '  x = 1\n', '  def f(self):\n', '    pass\n', '  y = 2\n', 'z = 3\n');
    const f = stream.text.indexOf('def f');
    const symbols = [
      { start: 0, end: stream.text.indexOf('\nz') },
      { start: f, end: stream.text.indexOf('pass') + 4 },
    ];
    expect(textsOf(stream, 'symbol', symbols)).to.deep.equal([
      'class A:\n  x = 1',
      'def f(self):\n    pass',
      'y = 2',
      'z = 3',
    ]);
    // Where nobody knows symbols, lines are what there is.
    expect(textsOf(stream, 'symbol')).to.have.length(6);
  });

  it('are none of tokens, and none of a picture', () => {
    expect(unitsOf(streamOf('a'), 'token')).to.equal(undefined);
    const grid = { rows: 1, columns: 1, first: 0, patchWidth: 1, patchHeight: 1 };
    expect(unitsOf({ ...streamOf('a'), grid }, 'line')).to.equal(undefined);
  });
});
