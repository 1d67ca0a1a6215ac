import { expect } from 'chai';
import fc from 'fast-check';
import type { Token, TokenStream } from '../../../src/model/token';
import { bytesOfPiece, partLabels } from '../../../src/model/pieceBytes';
import { layoutTokens, leadOf, type TokenLine } from '../../../src/model/tokenLines';
import { oddStream } from '../../visual/generatedRun';

function stream(
  text: string,
  ranges: readonly (readonly [start: number, end: number, piece?: string, isSpecial?: boolean])[],
): TokenStream {
  const tokens = ranges.map(([start, end, piece, isSpecial], id): Token => ({
    id,
    piece: piece ?? text.slice(start, end),
    start,
    end,
    isSpecial: isSpecial ?? false,
  }));
  return { role: 'source', text, tokens };
}

/** What is rendered as text, breaks included: it must be the text itself. */
function textOf(lines: readonly TokenLine[]): string {
  return lines
    .flatMap(({ pieces }) =>
      pieces.flatMap(({ runs }) => runs.filter(({ kind }) => kind !== 'ghost').map(({ text }) => text)),
    )
    .join('');
}

describe('tokens on lines', () => {
  it('break where the text breaks, with LF, CRLF and CR', () => {
    const lines = layoutTokens(
      stream('a\nb\r\nc\rd', [
        [0, 1],
        [1, 3],
        [3, 6],
        [6, 8],
      ]),
      4,
    );
    expect(lines.map(({ start, end }) => [start, end])).to.deep.equal([
      [0, 1],
      [2, 3],
      [5, 6],
      [7, 8],
    ]);
    expect(lines[0].pieces.map(({ token, runs }) => [token, runs.map(({ kind }) => kind)])).to.deep.equal([
      [0, ['text']],
      [1, ['break']],
    ]);
    // The token that holds a break goes on on the next line.
    expect(lines[1].pieces[0]).to.include({ token: 1, start: 2, end: 3 });
  });

  it('expand tabs from the column that the text begins at', () => {
    const [line] = layoutTokens(
      stream('\tx\ty', [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
      ]),
      4,
      2,
    );
    expect(line.pieces.map(({ column, endColumn }) => [column, endColumn])).to.deep.equal([
      [2, 4],
      [4, 5],
      [5, 8],
      [8, 9],
    ]);
  });

  it('are indented as far as their next rows go on below them', () => {
    const lead = (text: string, startCharacter = 0): number[] =>
      layoutTokens(stream(text, [[0, text.length]]), 4, startCharacter).map((line) => leadOf(line, 4));
    expect(lead('a\n  b\n\tc\n \td\n    ')).to.deep.equal([0, 2, 4, 4, 0]);
    expect(lead('a', 6)).to.deep.equal([6]);
    expect(lead(`${' '.repeat(40)}a`)).to.deep.equal([16]);
    // A chip is text, whatever comes after it.
    expect(
      leadOf(
        layoutTokens(
          stream('  a', [
            [0, 0, '<s>', true],
            [0, 3],
          ]),
          4,
        )[0],
        4,
      ),
    ).to.equal(0);
  });

  it('show a character that several tokens share once as text and then as ghosts, each with its bytes', () => {
    const [first, second] = layoutTokens(oddStream, 4);
    const emoji = first.pieces.filter(({ token }) => token >= 4 && token <= 6);
    expect(emoji.map(({ label }) => label)).to.deep.equal(['F0 9F', '99', '82']);
    expect(emoji.map(({ runs }) => runs[0])).to.deep.equal([
      { kind: 'text', text: '🙂' },
      { kind: 'ghost', text: '🙂' },
      { kind: 'ghost', text: '🙂' },
    ]);
    expect(second.pieces.filter(({ token }) => token === 11 || token === 12).map(({ label }) => label)).to.deep.equal([
      'C3',
      'A9',
    ]);
  });

  it('give the second text of a pair lines of its own, from its own column', () => {
    const pair = (first: string, second: string): TokenStream => {
      const { length } = first;
      const all = stream(first + second, [
        [0, 0, '[CLS]', true],
        [0, length],
        [length, length, '[SEP]', true],
        [length, length + second.length],
        [length + second.length, length + second.length, '[SEP]', true],
      ]);
      return { ...all, second: { start: length, from: 3 } };
    };
    const seen = (lines: readonly TokenLine[]): unknown =>
      lines.map(({ start, end, isSecond, pieces }) => [
        start,
        end,
        isSecond === true,
        pieces.map(({ token }) => token),
        pieces[0]?.column,
      ]);
    expect(seen(layoutTokens(pair('ab', 'cd\ne'), 4, 5, 2))).to.deep.equal([
      [0, 2, false, [0, 1, 2], 5],
      [2, 4, true, [3], 2],
      [5, 6, false, [3, 4], 0],
    ]);
    // What stands in no token, and a break at the end, stay with the first.
    expect(
      seen(
        layoutTokens(
          {
            ...pair('ab\n', 'c'),
            tokens: pair('ab\n', 'c').tokens.map((token, i) => (i === 1 ? { ...token, end: 1 } : token)),
          },
          4,
        ),
      ),
    ).to.deep.equal([
      [0, 2, false, [0, 1, -1], 0],
      [3, 3, false, [2], 0],
      [3, 4, true, [3, 4], 0],
    ]);
  });

  it('show special tokens as chips, with or without text, and text in no token as it is', () => {
    const [first, second] = layoutTokens(oddStream, 4);
    expect(first.pieces[0]).to.include({ token: 0, isChip: true, label: '<s>', start: 0, end: 0 });
    expect(second.pieces.find(({ token }) => token === 10)).to.deep.include({
      isChip: true,
      runs: [{ kind: 'text', text: '<s>' }],
    });
    expect(
      second.pieces.filter(({ token }) => token === -1).map(({ runs }) => runs.map(({ text }) => text).join('')),
    ).to.deep.equal([' ', ' ']);
    expect(textOf([first, second])).to.equal(oddStream.text);
  });

  it('show the rest of a token that shares only its beginning', () => {
    const [line] = layoutTokens(
      stream('abc', [
        [0, 2],
        [1, 3],
      ]),
      4,
    );
    expect(
      line.pieces.map(({ token, runs }) => [token, runs.map(({ kind, text }) => `${kind} ${text}`)]),
    ).to.deep.equal([
      [0, ['text ab']],
      [1, ['ghost b']],
      [1, ['text c']],
    ]);
  });

  it('give a text without tokens, an empty one too, its lines', () => {
    expect(layoutTokens(stream('a\n', []), 4)).to.have.length(2);
    expect(layoutTokens(stream('', []), 4)).to.deep.equal([{ start: 0, end: 0, pieces: [] }]);
  });

  it('hold every character once and in order, however the tokens lie', () => {
    const texts = fc
      .array(fc.constantFrom('a', ' ', '\t', '\n', '\r\n', '\r', '🙂', 'é', '漢'))
      .map((parts) => parts.join(''));
    const cases = texts.chain((text) =>
      fc.record({
        text: fc.constant(text),
        cuts: fc.array(fc.tuple(fc.nat(text.length), fc.nat(4), fc.boolean())),
      }),
    );
    fc.assert(
      fc.property(cases, ({ text, cuts }) => {
        const ranges = cuts
          .map(([start, length, isSpecial]): [number, number, string, boolean] => [
            start,
            Math.min(text.length, start + length),
            'x',
            isSpecial,
          ])
          .sort((a, b) => a[0] - b[0]);
        const lines = layoutTokens(stream(text, ranges), 4);
        expect(textOf(lines)).to.equal(text);
        for (const { pieces } of lines)
          for (const { start, end, runs } of pieces)
            expect(
              runs
                .filter(({ kind }) => kind !== 'ghost')
                .map((run) => run.text)
                .join(''),
            ).to.equal(text.slice(start, end));
        const shown = new Set(lines.flatMap(({ pieces }) => pieces.map(({ token }) => token)));
        for (let position = 0; position < ranges.length; position++)
          expect(shown.has(position), `token ${position} is shown`).to.equal(true);
      }),
    );
  });
});

describe('the bytes of a vocabulary piece', () => {
  it('are read from byte-level and fallback spellings', () => {
    expect(bytesOfPiece('ðŁ')).to.deep.equal([0xf0, 0x9f]);
    expect(bytesOfPiece('Ġa')).to.deep.equal([0x20, 0x61]);
    expect(bytesOfPiece('<0x0A>')).to.deep.equal([10]);
    expect(bytesOfPiece('漢')).to.equal(undefined);
  });

  it('label the parts of a character only where together they are it', () => {
    expect(partLabels(['<0xE6>', '<0xBC>', '<0xA2>'], '漢')).to.deep.equal(['E6', 'BC', 'A2']);
    // A ligature that a normalizer took apart is no matter of bytes.
    expect(partLabels(['▁f', 'i'], 'ﬁ')).to.deep.equal(['f', 'i']);
    expect(partLabels(['▁', '##'], 'x')).to.deep.equal(['1/2', '2/2']);
  });
});
