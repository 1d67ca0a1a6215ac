import { expect } from 'chai';
import fc from 'fast-check';
import { iconLabel, labelText, maxArgument, messageText, plain, plainLines } from '../../../src/base/safeText';
import { hostileTexts, unseenCharacters } from '../../harness/hostileTexts';

/** What VS Code makes links of in notifications (`parseLinkedText`), and icons of in labels (`renderLabelWithIcons`). */
const linkInMessage = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
const iconInLabel = /\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/;

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.string({
    unit: fc.constantFrom(
      '[',
      ']',
      '(',
      ')',
      '$',
      '\n',
      ' ',
      'x',
      '\u202e',
      '\u200d',
      '\u0301',
      '\ud83d',
      '\u001b',
      'command:',
    ),
    maxLength: 50,
  }),
  fc.constantFrom(...Object.values(hostileTexts)),
);

describe('plain text', () => {
  it('leaves ordinary text as it is', () => {
    for (const text of [
      '',
      'model.onnx',
      'naïve Größe, 東京 — Привет!',
      'עברית عربى',
      '👩‍💻 🏳️‍🌈 1️⃣ 葛\u{e0100}',
      'می‌خواهم',
      '·→↵▁Ġ',
    ])
      expect(plain(text)).to.equal(text);
  });

  it('is one bounded line in which everything can be seen', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 2, max: 400 }), (text, most) => {
        const made = plain(text, most);
        expect(made).to.not.match(unseenCharacters);
        expect(made.length).to.be.at.most(most);
        expect(plain(made, most)).to.equal(made);
      }),
    );
  });

  it('says what it left out, and shows what would be obeyed', () => {
    expect(plain('x'.repeat(400))).to.equal(`${'x'.repeat(maxArgument - 1)}…`);
    expect(plain('a\r\nb\nc\u2028d')).to.equal('a↵b↵c↵d');
    expect(plain('\u001b[2J\u007f')).to.equal('␛[2J␡');
    expect(plain('a\u202eb\u200bc\ud800d')).to.equal('a\ufffdb\ufffdc\ufffdd');
    // A joiner joins what is around it, and hides nothing in words.
    expect(plain('pay\u200dpal')).to.equal('pay\ufffdpal');
    expect(plain(`${'x'.repeat(298)}😀😀`)).to.equal(`${'x'.repeat(298)}…`);
    expect(plain(`a${'\u0301'.repeat(100)}b`)).to.equal(`a${'\u0301'.repeat(8)}b`);
  });

  it('costs as much as what is kept of it', () => {
    // Made of bytes, as texts from files are: one that is put together of parts costs as much as all of them at its first use.
    const texts = Object.values(hostileTexts).map((text) =>
      Buffer.from(text.repeat(Math.ceil(1_000_000 / text.length)), 'utf16le').toString('utf16le'),
    );
    const began = performance.now();
    for (const text of texts) plain(text);
    expect(performance.now() - began).to.be.lessThan(100);
  });

  it('keeps lines where they are wanted', () => {
    expect(plainLines('a\r\nb\u2028c\td\u001b', 100)).to.equal('a\nb\nc\td␛');
    fc.assert(
      fc.property(
        anything,
        (text) => void expect(plainLines(text, 100).replaceAll(/[\n\t]/g, '')).to.not.match(unseenCharacters),
      ),
    );
  });
});

describe('text for a place', () => {
  it('is no link in a notification, and no icon in a list', () => {
    expect(linkInMessage.test(hostileTexts['link'])).to.equal(true);
    expect(iconInLabel.test(hostileTexts['icon'])).to.equal(true);
    fc.assert(
      fc.property(anything, (text) => {
        expect(messageText(plain(text)))
          .to.not.match(linkInMessage)
          .and.to.not.include('](');
        expect(labelText(plain(text))).to.not.match(iconInLabel);
      }),
    );
  });

  it('has our own icons', () => {
    expect(iconLabel('eye', plain('a $(trash)'))).to.equal('$(eye) a $ (trash)');
  });
});
