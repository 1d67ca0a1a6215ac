import { expect } from 'chai';
import { firstToken } from '../../../src/model/firstToken';
import type { TokenStream } from '../../../src/model/token';

/** A stream of the pieces of a text, one token each; an empty piece is a special token. */
function streamOf(role: TokenStream['role'], pieces: readonly string[]): TokenStream {
  let end = 0;
  const tokens = pieces.map((piece, id) => ({
    id,
    piece,
    start: end,
    end: (end += piece.length),
    isSpecial: piece === '',
  }));
  return { role, text: pieces.join(''), tokens };
}

describe('The token that a run is looked at with first', () => {
  const source = streamOf('source', ['', 'return', ' x', ')', '\n', '']);
  const target = streamOf('target', ['', '19', '79', '-']);

  it('is the last one with a letter or a digit', () => {
    expect(firstToken([source], 'self')).to.deep.equal({ stream: 0, position: 2 });
    expect(firstToken([source, target], 'encoder')).to.deep.equal({ stream: 0, position: 2 });
  });

  it('is the one before the caret, unless that is white space', () => {
    expect(firstToken([source], 'self', 6)?.position).to.equal(1);
    expect(firstToken([source], 'self', 9)?.position, 'a bracket is what the caret stands at').to.equal(3);
    expect(firstToken([source], 'self', 10)?.position, 'after the line break').to.equal(2);
    expect(firstToken([source], 'self', 0)).to.equal(undefined);
  });

  it('is one of the target in cross-attention and in a decoder', () => {
    for (const component of ['cross', 'decoder'] as const)
      expect(firstToken([source, target], component, 3)).to.deep.equal({ stream: 1, position: 2 });
  });

  it('is of the text that a picture stands in', () => {
    const within = streamOf('image', ['', 'What', ' is', '?']);
    expect(firstToken([within], 'decoder')).to.deep.equal({ stream: 0, position: 2 });
  });

  it('is the class token of a picture, where there is one', () => {
    expect(firstToken([streamOf('image', ['', ''])], 'self')).to.deep.equal({ stream: 0, position: 0 });
    expect(
      firstToken(
        [{ ...streamOf('image', []), tokens: [{ id: 0, piece: '1,1', start: 0, end: 0, isSpecial: false }] }],
        'self',
      ),
    ).to.equal(undefined);
  });

  it('is the last that stands for text where no token has a letter or a digit', () => {
    expect(firstToken([streamOf('source', ['(', ')', '\n'])], 'self')?.position).to.equal(2);
    expect(firstToken([streamOf('source', ['', ''])], 'self')).to.equal(undefined);
  });
});
