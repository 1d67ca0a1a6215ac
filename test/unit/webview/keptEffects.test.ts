import { expect } from 'chai';
import {
  effectsFor,
  firstEffects,
  interventionOf,
  mostInterventions,
  validEffects,
  type EffectsLayout,
  type ListedIntervention,
} from '../../../webview/state/keptEffects';
import { runInfo } from '../host/fakeEngine';

const heads = [{ layer: 0, head: 1 }];
const silence: ListedIntervention = {
  id: 1,
  name: 'mine',
  isOn: true,
  component: 'self',
  heads,
  deed: { kind: 'silence', by: 'mean' },
};
const block: ListedIntervention = {
  ...silence,
  id: 2,
  deed: { kind: 'block', query: 4, key: 2, shape: 'cell', isRenormalized: true },
};
const swap: ListedIntervention = { ...silence, id: 3, deed: { kind: 'swap' } };
const run = runInfo(1, 'one two three');
const layout: EffectsLayout = {
  ...effectsFor(firstEffects, run),
  question: { kind: 'token', position: 2, token: 5, against: ' x' },
  by: 'mean',
  path: 'direct',
  interventions: [silence, block, swap],
};

describe('what is kept of effects', () => {
  it('comes back as it was, and what is none of ours as before anyone touched it', () => {
    expect(validEffects(JSON.parse(JSON.stringify(layout)))).to.deep.equal(layout);
    for (const value of [undefined, null, 3, 'x', [], { question: { kind: 'token', position: -1 }, by: 'noise' }])
      expect(validEffects(value)).to.deep.equal(firstEffects);
    const many = Array.from({ length: 100 }, (_, id) => ({ ...silence, id }));
    expect(validEffects({ ...layout, interventions: many }).interventions).to.have.length(mostInterventions);
    for (const broken of [
      { ...silence, heads: [] },
      { ...silence, component: 'x' },
      { ...block, deed: { kind: 'block' } },
    ])
      expect(validEffects({ ...layout, interventions: [broken, silence] }).interventions).to.deep.equal([silence]);
  });

  it('is of one model, and of one text as far as it names tokens', () => {
    expect(effectsFor(layout, run)).to.equal(layout);
    const other = effectsFor(layout, runInfo(2, 'four five six'));
    expect(other.question).to.equal(undefined);
    expect(other.interventions).to.deep.equal([silence, swap]);
    expect(other.by).to.equal('mean');
    const model = { ...run.model, name: 'another' as typeof run.model.name };
    expect(effectsFor(layout, { ...run, model }).interventions).to.deep.equal([]);
  });

  it('tells the engine the row, the column or the cell that is blocked', () => {
    const of = (shape: 'cell' | 'row' | 'column'): unknown => {
      if (block.deed.kind !== 'block') throw new Error('it blocks');
      return interventionOf({ ...block, deed: { ...block.deed, shape } });
    };
    const blocked = { kind: 'block', component: 'self', heads, isRenormalized: true };
    expect(of('cell')).to.deep.equal({ ...blocked, query: 4, key: 2 });
    expect(of('row')).to.deep.equal({ ...blocked, query: 4 });
    expect(of('column')).to.deep.equal({ ...blocked, key: 2 });
    expect(interventionOf(silence)).to.deep.equal({ kind: 'silence', component: 'self', heads, by: 'mean' });
    expect(interventionOf(swap)).to.deep.equal({ kind: 'swap', component: 'self', heads });
  });
});
