import { expect } from 'chai';
import fc from 'fast-check';
import { codeBlock, codeLabel, codeSpan, commandLink, escaped, joinMarkdown, md } from '../../../src/base/markdown';
import { plain } from '../../../src/base/safeText';
import { hostileTexts } from '../../harness/hostileTexts';
import { readers } from '../../harness/readMarkdown';

const anything = fc.oneof(
  fc.string({
    unit: fc.constantFrom(
      '`',
      '``',
      '[',
      ']',
      '(',
      ')',
      '!',
      '<',
      '>',
      '\\',
      '|',
      '*',
      '_',
      '~',
      '$',
      '&',
      '#',
      ' ',
      '\n',
      'x',
      '1.',
      '-',
      '=',
      ':',
      '/',
      'http://a.b',
      'www.a.b',
      'a@b.cc',
      '<img src=x>',
      '&#33;',
      '](command:y)',
    ),
    maxLength: 30,
  }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(...Object.values(hostileTexts)),
);

describe('Markdown with foreign text in it', () => {
  for (const [reader, read] of Object.entries(readers)) {
    const rounds = { numRuns: Number(process.env['ROUNDS'] ?? 300) };

    it(`${reader}: is text where it is escaped, as it was`, () => {
      fc.assert(
        fc.property(anything, (text) => {
          const line = plain(text);
          for (const [before, after] of [
            ['', ''],
            ['so: ', '.'],
          ] as const) {
            const found = read(`${before}${escaped(line)}${after}`);
            expect(
              found.kinds.filter((kind) => kind !== 'paragraph' && kind !== 'paragraph_open'),
              line,
            ).to.deep.equal([]);
            if (reader === 'preview') expect(found.text).to.equal(`${before}${line.trim()}${after}`.trim());
          }
        }),
        rounds,
      );
    });

    it(`${reader}: is code in spans, links and headings`, () => {
      fc.assert(
        fc.property(anything, (text) => {
          const found = read(
            md`# A ${codeSpan(text)} b\n\n${commandLink(codeLabel(text), 'ours.reveal', [1, { stream: 0, position: 2 }])} · ${codeSpan(text)}`,
          );
          const kinds = found.kinds.map(
            (kind) => ({ code_inline: 'code', codespan: 'code' })[kind] ?? kind.replace(/_open$/, ''),
          );
          expect(kinds, text).to.deep.equal(['heading', 'code', 'paragraph', 'link', 'code', 'code']);
          expect(found.addresses).to.have.length(1);
          expect(found.addresses[0]).to.match(/^command:ours\.reveal\?/);
        }),
        rounds,
      );
    });

    it(`${reader}: stays in its item of a list`, () => {
      fc.assert(
        fc.property(anything, anything, (one, other) => {
          const found = read(
            joinMarkdown(
              [
                md`before`,
                joinMarkdown(
                  [md`* ${codeSpan(one)}: ${escaped(plain(other))}`, md`* ${escaped(plain(one))}, ${codeSpan(other)}`],
                  '\n',
                ),
                md`after`,
              ],
              '\n\n',
            ),
          );
          const code = found.kinds.filter((kind) => kind === 'code_inline' || kind === 'codespan');
          expect(code, one).to.have.length(2);
          expect(
            found.kinds.filter(
              (kind) => !/^(?:code_inline|codespan|paragraph|bullet_list|list|list_item)(?:_open)?$/.test(kind),
            ),
            `${one} and ${other}`,
          ).to.deep.equal([]);
          expect(found.addresses).to.deep.equal([]);
        }),
        rounds,
      );
    });

    it(`${reader}: stays in its block of code`, () => {
      fc.assert(
        fc.property(anything, (text) => {
          const found = read(joinMarkdown([md`before`, codeBlock('jinja', text, 100_000), md`after`], '\n\n'));
          expect(
            found.kinds.filter((kind) => !kind.startsWith('paragraph')),
            text,
          ).to.deep.equal([reader === 'preview' ? 'fence' : 'code']);
        }),
        { numRuns: 100 },
      );
    });
  }

  it('has no mark at the start of a line', () => {
    for (const text of [
      '# a',
      '- a',
      '+ a',
      '* a',
      '1. a',
      '1) a',
      '> a',
      '=== ',
      '---',
      '~~~',
      '```',
      '    a',
      '\ta',
      '| a |',
    ]) {
      expect(readers.preview(`x\n\n${escaped(plain(text))}`).kinds, text).to.deep.equal([
        'paragraph_open',
        'paragraph_open',
      ]);
    }
  });
});
