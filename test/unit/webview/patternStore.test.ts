import { expect } from 'chai';
import type { ComponentInfo, HeadSelection } from '../../../src/model/head';
import { plainForm } from '../../../src/model/patternForm';
import type { RunInfo } from '../../../src/model/modelInfo';
import type { PanelApi } from '../../../src/panelProtocol';
import type { PatternParams } from '../../../src/protocol';
import type { Client } from '../../../src/rpc/connection';
import { PatternStore, type WantedPattern } from '../../../webview/state/patternStore';

const component: ComponentInfo = { component: 'self', queryStream: 0, keyStream: 0, isCausal: true, layers: [] };
const selectionOf = (head: number): HeadSelection => ({
  component: 'self',
  heads: [{ layer: 0, head }],
  aggregation: 'mean',
});
const pattern = { numQueries: 2, numKeys: 2, weights: Float32Array.of(1, 0, 0.5, 0.5) };
const token = { id: 0, piece: 'a', start: 0, end: 1, isSpecial: false };
const info = { runId: 7, streams: [{ role: 'source', text: 'a', tokens: [token, token] }] } as unknown as RunInfo; // no more of a run is looked at here
const wanted = (head: number): WantedPattern => ({
  info,
  selection: selectionOf(head),
  component,
  form: plainForm,
  startLine: 0,
});

describe('the panel’s store of patterns', () => {
  let asked: PatternParams[];
  let store: PatternStore;
  beforeEach(() => {
    asked = [];
    const remote = {
      pattern: (params: PatternParams) => {
        asked.push(params);
        return Promise.resolve(pattern);
      },
    };
    store = new PatternStore(remote as unknown as Client<PanelApi>); // nothing else is asked for here
  });

  it('has the pattern that came before its run at once, without asking', () => {
    store.keepFirst({ runId: 7, selection: selectionOf(3), pattern });
    expect(store.firstSelection(7)).to.deep.equal(selectionOf(3));
    expect(store.held(wanted(3))?.matrix.numKeys).to.equal(2);
    expect(store.held(wanted(3))?.matrix).to.equal(store.held(wanted(3))?.matrix);
    expect(asked).to.deep.equal([]);
  });

  it('takes it for no other run and no other head, and still has it afterwards', async () => {
    store.keepFirst({ runId: 7, selection: selectionOf(3), pattern });
    expect(store.firstSelection(8)).to.equal(undefined);
    expect(store.held({ ...wanted(3), info: { ...info, runId: 8 } })).to.equal(undefined);
    await store.shown(wanted(2), new AbortController().signal);
    expect(asked).to.deep.equal([{ runId: 7, selection: selectionOf(2) }]);
    await store.shown(wanted(3), new AbortController().signal);
    expect(asked).to.have.length(1);
  });

  it('does not take one whose numbers do not fit its size', () => {
    store.keepFirst({ runId: 7, selection: selectionOf(3), pattern: { ...pattern, weights: Float32Array.of(1) } });
    expect(store.held(wanted(3))).to.equal(undefined);
  });
});
