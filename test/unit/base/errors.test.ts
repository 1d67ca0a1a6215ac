import { expect } from 'chai';
import { errorSentences, ExplorerError, formatSentence, isCancelled, type ErrorCode } from '../../../src/base/errors';
import { escaped } from '../../../src/base/markdown';
import { messageText } from '../../../src/base/safeText';
import { line } from '../../../src/base/terminalText';
import { noticeSentences, noticeText, type Notice } from '../../../src/model/modelInfo';
import { hostileTexts, unseenCharacters } from '../../harness/hostileTexts';
import { readers } from '../../harness/readMarkdown';

describe('ExplorerError', () => {
  it('fills its sentence with the arguments', () => {
    expect(new ExplorerError('tokenizerMismatch', [50000, 30522]).message).to.contain(
      'makes id 50000, and the model knows 30522 ids',
    );
    expect(formatSentence('{1} and {0} and {2}', ['a', 'b'])).to.equal('b and a and {2}');
  });

  it('survives a border with code, arguments and details', () => {
    const sent: unknown = JSON.parse(
      JSON.stringify(new ExplorerError('modelTruncated', ['m.onnx', 17], { details: 'why' }).serialize()),
    );
    const received = ExplorerError.deserialize(sent);
    expect(received).to.include({ code: 'modelTruncated', details: 'why' });
    expect(received.message).to.contain('m.onnx ends too early (at byte 17)');
  });

  it('takes anything malformed as an internal error', () => {
    for (const value of [undefined, null, 3, 'x', {}, { code: 'toString' }, { code: 7 }])
      expect(ExplorerError.deserialize(value).code).to.equal('internal');
  });

  it('is one bounded line of plain text in every sentence, whatever its arguments are', () => {
    const codes = Object.keys(errorSentences) as ErrorCode[]; // own keys of the table
    const notices = Object.keys(noticeSentences) as Notice['code'][]; // own keys of the table
    for (const [name, text] of Object.entries(hostileTexts)) {
      const args = [text, text, text];
      const sentences = [
        ...codes.map((code) => new ExplorerError(code, args, { details: text }).sentence),
        ...codes.map((code) => ExplorerError.deserialize({ code, args, details: text }).sentence),
        ...notices.map((code) => noticeText({ code, args })),
      ];
      for (const sentence of sentences) {
        expect(sentence, name).to.not.match(unseenCharacters);
        expect(sentence.length, name).to.be.at.most(1200);
        expect(messageText(sentence), name).to.not.include('](');
        expect(line`${sentence}`, name).to.equal(sentence);
      }
      for (const sentence of new Set(sentences)) {
        expect(readers.preview(escaped(sentence)).kinds, name).to.deep.equal(['paragraph_open']);
        expect(readers.card(escaped(sentence)).kinds, name).to.deep.equal(['paragraph']);
      }
    }
  });

  it('keeps of details what a log can take', () => {
    for (const text of Object.values(hostileTexts)) {
      const { details = '' } = new ExplorerError('internal', [], { cause: new Error(text) });
      expect(details.replaceAll(/[\n\t]/g, '')).to.not.match(unseenCharacters);
      expect(details.length).to.be.at.most(8000);
    }
  });

  it('takes an argument for no place of another', () => {
    expect(new ExplorerError('fileUnreadable', ['{1}', '{0}']).message).to.contain('{1} cannot be read ({0})');
  });

  it('tells a cancelled request from a failed one', () => {
    expect(isCancelled(new ExplorerError('cancelled'))).to.equal(true);
    expect(isCancelled(new Error('cancelled'))).to.equal(false);
  });
});
