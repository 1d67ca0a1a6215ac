import { expect } from 'chai';
import { clauseIn, clauses } from '../../../src/base/clauses';
import { formatSentence } from '../../../src/base/errors';

describe('a clause within a sentence', () => {
  it('is known again by its words, with what stands in it, whatever that is', () => {
    for (const args of [
      ['attention.self.0', '12', '13', '14', '15'],
      ['a" is b', '(2, 3)', 'it has no tokens', '<b>', '{0}'],
    ])
      for (const clause of clauses) {
        const text = formatSentence(clause, args);
        const known = clauseIn(text);
        if (known === undefined) throw new Error(`${text} is not known.`);
        expect(formatSentence(known.clause, known.args)).to.equal(text);
        if (args[1] === '12') expect(known.clause).to.equal(clause);
      }
  });

  it('is nothing else', () => {
    for (const text of ['', 'it has no', ' it has no tokens', 'it has no tokens.', 'EIO', 'it was not read'])
      expect(clauseIn(text), text).to.equal(undefined);
  });

  it('is looked for in a moment, whatever a file is called', () => {
    const started = performance.now();
    // An argument of an error has no more characters than that.
    for (const part of ['" has  tokens and ', '" is over  queries and ', ' of the ', '"'])
      expect(clauseIn(`"${part.repeat(300).slice(0, 298)}\n`)).to.equal(undefined);
    expect(performance.now() - started).to.be.below(500);
  });
});
