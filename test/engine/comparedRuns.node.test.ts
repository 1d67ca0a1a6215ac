import { expect } from 'chai';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'vscode-jsonrpc/node';
import { comparedValues, type Pairing } from '../../src/model/compare/comparison';
import { decodeDifference } from '../../src/model/pattern';
import type { WeightForm } from '../../src/model/weightForm';
import type { EngineApi } from '../../src/protocol';
import type { Client } from '../../src/rpc/connection';
import { codeOf } from '../harness/codeOf';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { serveEngine } from './servedEngine.node';

const formOf = (otherId: number, shows: 'other' | 'difference', pairing: Pairing = 'index'): WeightForm => ({
  method: 'attention',
  isCausal: false,
  sinks: 'show',
  isRenormalized: false,
  canHaveSinks: false,
  compared: { otherId, pairing, shows },
});

describe('two runs that the engine holds', function () {
  this.timeout(20_000);
  let folder: string;
  let engine: Client<EngineApi>;
  let end: () => void;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-compared-'));
    writeFileSync(join(folder, 'tokenizer.json'), tinyTokenizer());
    for (const [variant, name] of [
      ['bert.sdpa.legacy', 'model.onnx'],
      ['bert.sdpa.legacy.int8', 'model_int8.onnx'],
    ])
      copyFileSync(`test/fixtures/zoo/${variant}/model.onnx`, join(folder, name));
    const served = serveEngine();
    engine = served.connection.remote;
    end = served.end;
  });
  after(() => {
    end();
    rmSync(folder, { recursive: true });
  });
  const explain = (text: string, name = 'model.onnx') =>
    engine.explain({ model: { path: join(folder, name), backend: 'auto', threads: 1 }, text, tokenLimit: 0 });

  it('of two precisions: the difference of any head is that of both patterns, as matrix, row, and in all heads', async () => {
    const text = 'if a: b(c, d)';
    const [a, b] = [await explain(text), await explain(text, 'model_int8.onnx')];
    const [{ component }] = a.components;
    const heads = [
      { layer: 0, head: 1 },
      { layer: 1, head: 0 },
    ];
    const selection = { component, heads, aggregation: 'mean' } as const;
    const form = formOf(b.runId, 'difference');
    const [own, other, difference, seenOther] = await Promise.all([
      engine.pattern({ runId: a.runId, selection }),
      engine.pattern({ runId: b.runId, selection }),
      engine.pattern({ runId: a.runId, selection, form }),
      engine.pattern({ runId: a.runId, selection, form: formOf(b.runId, 'other') }),
    ]);
    expect(Math.max(...difference.weights.map(Math.abs))).to.be.greaterThan(1e-4);
    difference.weights.forEach((each, i) => expect(each).to.be.closeTo(other.weights[i] - own.weights[i], 1e-6));
    seenOther.weights.forEach((each, i) => expect(each).to.be.closeTo(other.weights[i], 1e-7));
    const { numKeys } = difference;
    const row = await engine.row({ runId: a.runId, selection, position: 3, direction: 'reads', form });
    expect([...row.weights]).to.deep.equal([...difference.weights.slice(3 * numKeys, 4 * numKeys)]);

    const comparison = await engine.compare({
      runId: a.runId,
      component,
      compared: { otherId: b.runId, pairing: 'index' },
    });
    expect(comparison.texts[0]).to.include({ kind: 'same', numCommon: numKeys, numOnlyInB: 0 });
    const numHeads = a.components[0].layers.reduce((sum, layer) => sum + layer.numHeads, 0);
    expect(comparison.heads.length).to.equal(4 * numHeads);
    // The largest of all is that of some head, and is what the pictures of heads are measured by.
    const at = comparedValues.indexOf('largest');
    const largest = Array.from({ length: numHeads }, (_, i) => comparison.values[i * comparedValues.length + at]);
    expect(Math.max(...largest.map(Math.abs))).to.be.closeTo(comparison.largest, 1e-7);
    const { pixels } = await engine.thumbnails({ runId: a.runId, component, size: 64, isCausal: false, form });
    expect(pixels.length).to.equal(numHeads * numKeys * numKeys);
    largest.forEach((each, head) => {
      const shown = [...pixels.subarray(head * numKeys ** 2, (head + 1) * numKeys ** 2)].map(decodeDifference);
      // Two that are nearly as large may have the same byte.
      const most = Math.max(...shown.map((value) => value * Math.sign(each)));
      expect(most * comparison.largest).to.be.closeTo(Math.abs(each), 0.02 * comparison.largest);
    });
    // Of several heads the strongest change of any, with its sign.
    const strongest = await engine.pattern({ runId: a.runId, selection: { ...selection, aggregation: 'max' }, form });
    const each = await Promise.all(
      heads.map((head) => engine.pattern({ runId: a.runId, selection: { ...selection, heads: [head] }, form })),
    );
    strongest.weights.forEach((value, i) => {
      const [first, second] = each.map(({ weights }) => weights[i]);
      expect(value).to.equal(Math.abs(second) > Math.abs(first) ? second : first);
    });
  });

  it('of an edited text: what only one of them has is left out', async () => {
    const [a, b] = [await explain('f(a, bc)'), await explain('f(a, xyzc)')];
    const [{ component }] = a.components;
    const compared = { otherId: b.runId, pairing: 'index' } as const;
    const { texts } = await engine.compare({ runId: a.runId, component, compared });
    expect(texts[0]).to.include({ kind: 'ids', numCommon: 7, numOnlyInB: 3 });
    expect(texts[0].onlyInA).to.deep.equal([5]);
    expect(texts[0].onlyInB).to.deep.equal(['x', 'y', 'z']);
    const selection = { component, heads: [{ layer: 0, head: 0 }], aggregation: 'mean' } as const;
    const form = formOf(b.runId, 'difference');
    const [own, other, difference] = await Promise.all([
      engine.pattern({ runId: a.runId, selection }),
      engine.pattern({ runId: b.runId, selection }),
      engine.pattern({ runId: a.runId, selection, form }),
    ]);
    const inB = (position: number): number => (position < 5 ? position : position + 2);
    for (let query = 0; query < own.numQueries; query++)
      for (let key = 0; key < own.numKeys; key++)
        expect(difference.weights[query * own.numKeys + key]).to.be.closeTo(
          query === 5 || key === 5
            ? 0
            : other.weights[inB(query) * other.numKeys + inB(key)] - own.weights[query * own.numKeys + key],
          1e-6,
        );
  });

  it('of two pictures stand patch by patch, and not where they are cut otherwise', async () => {
    const folder = 'test/fixtures/pictureEffects';
    const read = (picture: string, path = `${folder}/vit.legacy`) =>
      engine.explainImage({ model: { path, backend: 'wasm', threads: 1 }, path: `${folder}/${picture}.png` });
    const [a, b] = [await read('picture'), await read('other')];
    const [{ component }] = a.components;
    const { texts, values } = await engine.compare({
      runId: a.runId,
      component,
      compared: { otherId: b.runId, pairing: 'index' },
    });
    expect(texts[0]).to.include({ kind: 'same', numCommon: 17, numOnlyInB: 0 });
    expect(Math.max(...values)).to.be.greaterThan(1e-3);
    // The first token of this model is a class token, too, and the second one of distillation.
    const c = await read('picture', `${folder}/deit.dynamo`);
    const other = await engine.compare({
      runId: a.runId,
      component,
      compared: { otherId: c.runId, pairing: 'nearest' },
    });
    expect(other.texts[0]).to.include({ kind: 'patches', numCommon: 17, numOnlyInB: 1 });
    expect(other.texts[0].onlyInB).to.deep.equal(['[DIST]']);
    const text = await explain('f(a, bc)');
    expect(
      await codeOf(
        engine.compare({ runId: a.runId, component, compared: { otherId: text.runId, pairing: 'nearest' } }),
      ),
    ).to.equal('notCompared');
  });

  it('of which rows are computed when they are read are as far apart as when all of both is held', async () => {
    const lean = serveEngine({ memoryLimits: { wholeAttentionBytes: 1000, engineBytes: 2 ** 32 } });
    try {
      const tables: number[][] = [];
      for (const { engine: served, held } of [
        { engine, held: 'whole' },
        { engine: lean.connection.remote, held: 'recomputed' },
      ]) {
        const read = (text: string, name: string) =>
          served.explain({ model: { path: join(folder, name), backend: 'auto', threads: 1 }, text, tokenLimit: 0 });
        const text = 'if a: b(c, d)\n  e = f(a)';
        const [a, b] = [await read(text, 'model.onnx'), await read(text.replace('e', 'xy'), 'model.onnx')];
        const [{ component, layers }] = a.components;
        expect([...new Set(layers.map((layer) => layer.held))]).to.deep.equal([held]);
        const compared = { otherId: b.runId, pairing: 'index' } as const;
        const { values, largest } = await served.compare({ runId: a.runId, component, compared });
        tables.push([largest, ...values]);
      }
      tables[0].forEach((value, i) => expect(tables[1][i]).to.be.closeTo(value, 1e-5));
    } finally {
      lean.end();
    }
  });

  it('is forgotten with either run, and refused where there is nothing to compare', async () => {
    const [a, b] = [await explain('f(a, bc)'), await explain('f(a, xyzc)')];
    const [{ component }] = a.components;
    const compared = { otherId: b.runId, pairing: 'nearest' } as const;
    await engine.compare({ runId: a.runId, component, compared });
    await engine.release({ runId: b.runId });
    expect(await codeOf(engine.compare({ runId: a.runId, component, compared }))).to.equal('unknownRun');
    const selection = { component, heads: [{ layer: 0, head: 0 }], aggregation: 'mean' } as const;
    const form = formOf(b.runId, 'other', 'nearest');
    expect(await codeOf(engine.pattern({ runId: a.runId, selection, form }))).to.equal('unknownRun');
    const c = await explain('123');
    expect(
      await codeOf(engine.compare({ runId: a.runId, component, compared: { otherId: c.runId, pairing: 'index' } })),
    ).to.equal('notCompared');
  });
});
