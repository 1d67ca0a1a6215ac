import { describeReference } from './describeReference';

// A model whose modules are functions that it defines itself: scripts/fixtures/functions.py makes it.
describe('attention in functions that a model defines', () => {
  describeReference('functions/bert.nested');
});
