import { expect } from 'chai';
import type { ComponentInfo, HeadSelection } from '../../../src/model/head';
import type { RunInfo } from '../../../src/model/modelInfo';
import type { Pattern } from '../../../src/model/pattern';
import { plainForm } from '../../../src/model/patternForm';
import { initialView } from '../../../src/model/viewState';
import { FirstPatternFetcher } from '../../../src/host/panel/firstPattern';
import type { ShownRun } from '../../../src/host/run/shownRun';
import type { PanelApi } from '../../../src/panelProtocol';
import type { Client } from '../../../src/rpc/connection';
import { PatternStore } from '../../../webview/state/patternStore';

const component: ComponentInfo = {
  component: 'self',
  layers: [{ numHeads: 1 }],
  queryStream: 0,
  keyStream: 0,
  isCausal: true,
} as unknown as ComponentInfo; // what is looked at of it
const pattern: Pattern = { numQueries: 2, numKeys: 2, weights: Float32Array.of(1, 0, 0.5, 0.5) };
const infoOf = (runId: number, length: number): RunInfo =>
  ({ runId, components: [component], streams: [{ tokens: Array.from({ length }) }] }) as unknown as RunInfo; // likewise

/** A run whose engine answers when it is told to. */
function runOf(runId: number, length = 2): { readonly run: ShownRun; readonly asked: HeadSelection[]; answer(): void } {
  const asked: HeadSelection[] = [];
  let answer: () => void = () => {};
  const held = {
    pattern: (selection: HeadSelection) => {
      asked.push(selection);
      return new Promise<Pattern>((resolve) => (answer = () => resolve(pattern)));
    },
  };
  return { run: { info: infoOf(runId, length), held, runId } as unknown as ShownRun, asked, answer: () => answer() }; // likewise
}

describe('The first pattern of a run', () => {
  it('is fetched when the run comes, and handed out once', async () => {
    const fetcher = new FirstPatternFetcher();
    const { run, asked, answer } = runOf(3);
    fetcher.fetch(run, initialView);
    fetcher.fetch(run, initialView);
    expect(asked).to.deep.equal([
      { component: 'self', heads: [{ layer: 0, head: 0 }], aggregation: initialView.selection.aggregation },
    ]);
    expect(fetcher.take(3)).to.equal(undefined);
    answer();
    await fetcher.pending;
    expect(fetcher.pending).to.equal(undefined);
    expect(fetcher.take(3)).to.deep.include({ runId: 3, pattern });
    expect(fetcher.take(3)).to.equal(undefined);
    fetcher.fetch(run, initialView);
    expect(asked).to.have.length(1);
  });

  it('is not waited for when it is late, nor taken for that of a newer run', async () => {
    const fetcher = new FirstPatternFetcher();
    const [old, next] = [runOf(3), runOf(4)];
    fetcher.fetch(old.run, initialView);
    await fetcher.pending;
    expect(fetcher.take(3)).to.equal(undefined);
    fetcher.fetch(next.run, initialView);
    old.answer();
    next.answer();
    await fetcher.pending;
    expect(fetcher.take(4)).to.deep.include({ runId: 4, pattern });
  });

  it('is not fetched where patterns come in parts', () => {
    const fetcher = new FirstPatternFetcher();
    const { run, asked } = runOf(3, 4096);
    fetcher.fetch(run, initialView);
    expect(fetcher.pending).to.equal(undefined);
    expect(asked).to.have.length(0);
  });

  it('is taken by the page instead of asking, for its run and its heads alone', async () => {
    const asked: number[] = [];
    const remote = {
      pattern: async ({ runId }: { readonly runId: number }) => {
        asked.push(runId);
        return pattern;
      },
    } as unknown as Client<PanelApi>; // no more is asked here
    const never = new AbortController().signal;
    const store = new PatternStore(remote);
    const { selection } = initialView;
    store.keepFirst({ runId: 7, selection, pattern });
    store.clear();
    expect(
      (await store.shown({ info: infoOf(7, 2), selection, component, form: plainForm, startLine: 0 }, never)).matrix
        .numQueries,
    ).to.equal(2);
    expect(asked).to.deep.equal([]);
    store.keepFirst({ runId: 8, selection, pattern });
    await store.shown({ info: infoOf(9, 2), selection, component, form: plainForm, startLine: 0 }, never);
    expect(asked).to.deep.equal([9]);
  });
});
