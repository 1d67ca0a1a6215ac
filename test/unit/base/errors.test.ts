import { expect } from 'chai';
import { ExplorerError, formatSentence, isCancelled } from '../../../src/base/errors';

describe('ExplorerError', () => {
  it('fills its sentence with the arguments', () => {
    expect(new ExplorerError('tokenizerMismatch', [50000, 30522]).message).to.contain('makes id 50000, and the model knows 30522 ids');
    expect(formatSentence('{1} and {0} and {2}', ['a', 'b'])).to.equal('b and a and {2}');
  });

  it('survives a border with code, arguments and details', () => {
    const sent: unknown = JSON.parse(JSON.stringify(new ExplorerError('modelTruncated', ['m.onnx', 17], { details: 'why' }).serialize()));
    const received = ExplorerError.deserialize(sent);
    expect(received).to.include({ code: 'modelTruncated', details: 'why' });
    expect(received.message).to.contain('m.onnx ends too early (at byte 17)');
  });

  it('takes anything malformed as an internal error', () => {
    for (const value of [undefined, null, 3, 'x', {}, { code: 'toString' }, { code: 7 }]) expect(ExplorerError.deserialize(value).code).to.equal('internal');
  });

  it('tells a cancelled request from a failed one', () => {
    expect(isCancelled(new ExplorerError('cancelled'))).to.equal(true);
    expect(isCancelled(new Error('cancelled'))).to.equal(false);
  });
});
