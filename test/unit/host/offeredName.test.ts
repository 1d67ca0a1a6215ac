import { expect } from 'chai';
import { offeredName } from '../../../src/host/export/offeredName';

describe('the name that a file is offered under', () => {
  it('is that of the document, in any script, with nothing that a file cannot be called', () => {
    expect(offeredName('a b:c?.py', '-self.csv')).to.equal('a-b-c-.py-self.csv');
    expect(offeredName('注意力.py', '.attention-explanation.json')).to.equal('注意力.py.attention-explanation.json');
    expect(offeredName('Größe é.md', '-rollout.html')).to.equal('Größe-é.md-rollout.html');
  });

  it('has the ending of a file of attention once', () => {
    for (const own of ['run.attention.npz', 'run.attention.safetensors', 'run.attention-explanation.json'])
      expect(offeredName(own, '.attention.npz'), own).to.equal('run.attention.npz');
    expect(offeredName('.attention.npz', '.csv')).to.equal('.attention.npz.csv');
  });
});
