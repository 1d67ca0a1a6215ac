import { expect } from 'chai';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { LeanSession } from '../../src/engine/long/leanSession';
import { Runtime, type OrtModule } from '../../src/engine/runtime/runtime';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import type { PlacedSite } from '../../src/onnx/name/describeSites';
import { planLean, type LeanPlan } from '../../src/onnx/rewrite/leanPlan';
import { readFixture } from '../harness/fixtures';
import { firstItem } from './firstItem';
import { fixtureAccess } from './fixtureAccess';
import { expectSummaries } from './leanDifferences';

/** Small pictures of pairs of rows, and blocks of four, of which there are several; the last is short where the text's length is no multiple. */
const levels = { source: 1, target: 1 };
const blockRows = 4;

/** Models whose every attention is computed in blocks: of each exporter, with masks of each kind, biases by position, grouped queries, a sink, guards against rows without keys. */
const models = [
  'gpt2.eager.dynamo',
  't5.eager.legacy',
  'llama.eager.legacy',
  'mistral.sdpa.dynamo',
  'craft.sink_logits.legacy',
  'craft.sigmoid.legacy',
  'vit.eager.dynamo',
];

/** Models of which some attention is not, with the reason. */
const whole: Readonly<Record<string, string>> = {
  'bert.sdpa.legacy.fp16': 'its numbers may be of another width than 32 bits',
  'bert.sdpa.legacy.qdq': 'what weights its values is not its weights alone',
};

describe('attention in blocks of queries', () => {
  const open = async (name: string) => {
    const stored = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), 'expected');
    const isFed = (input: string): boolean => (stored.get(`in.${input}`)?.data[0] ?? 0) !== 0;
    const files = await readModelFiles(fixtureAccess, `zoo/${name}/model.onnx`, isFed);
    const { index, sites } = files.analysis;
    const plans = new Map(sites.map((site): [PlacedSite, LeanPlan] => [site, planLean(index, site)]));
    return { files, plans, inputs: toModelInputs(index, stored).map(firstItem) };
  };
  const expectEqual = async (name: string, ort: OrtModule, isStaged: boolean): Promise<void> => {
    const runtime = new Runtime(ort, 1, 'listSupportedBackends' in ort ? 'native' : 'wasm');
    await runtime.initialize(1);
    const { files, plans, inputs } = await open(name);
    const keptOutputs = files.analysis.index.graph.outputs.map((output) => output.name);
    const options = { ort: runtime.ort, runtime, files, keptOutputs, blockRows };
    const session = await AttentionSession.create({ ...options, keptOutputs: [] });
    const { layers } = await session.run(inputs);
    await session.release();
    const ofTarget = layers.filter(({ component }) => component === 'decoder' || component === 'cross');
    const most = (counted: readonly { readonly numQueries: number }[]): number =>
      Math.max(0, ...counted.map(({ numQueries }) => numQueries));
    const lengths = {
      numPositions: most(layers.filter((layer) => !ofTarget.includes(layer))),
      numTargetPositions: most(ofTarget),
    };
    const run = async (used: ReadonlyMap<PlacedSite, LeanPlan>) => {
      const lean = await LeanSession.create({ ...options, isStaged }, levels, used);
      const result = await lean.run(inputs, { ...lengths, outputs: keptOutputs });
      expect(result.failed).to.deep.equal([]);
      expect(result.needsWhole).to.equal(false);
      for (const { inParts } of result.layers) inParts?.release?.();
      await lean.release();
      return result;
    };
    for (const plan of plans.values()) expect(plan).to.include({ held: 'recomputed', whyNotBlocked: undefined });
    const inBlocks = await run(plans);
    const asWhole = await run(new Map([...plans].map(([site, plan]) => [site, { ...plan, whyNotBlocked: 'not now' }])));
    let numCompared = 0;
    for (const [output, { data }] of inBlocks.outputs) {
      const wanted = asWhole.outputs.get(output)?.data;
      if (!(data instanceof Float32Array) || !(wanted instanceof Float32Array)) continue;
      numCompared++;
      expect(data.length).to.equal(wanted.length);
      expect(data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0)).to.equal(0);
    }
    expect(numCompared).to.be.above(0);
    inBlocks.layers.forEach((layer, i) => {
      for (let head = 0; head < layer.numHeads; head++)
        expect(layer.inParts?.summary?.(head)?.pooled).to.deep.equal(
          asWhole.layers[i].inParts?.summary?.(head)?.pooled,
        );
      expectSummaries(layer, layers[i], [2, 2], { maxima: 1e-6, sums: 1e-5 });
    });
  };

  for (const name of models) it(`gives the bits of ${name}, native`, () => expectEqual(name, native, false));
  it('gives them layer by layer, too', () => expectEqual('bert.sdpa.legacy', native, true));
  it('gives them on WebAssembly, too', () => expectEqual('craft.sink_logits.legacy', web, false));

  for (const [name, reason] of Object.entries(whole))
    it(`leaves ${name} whole`, async () => {
      const { plans } = await open(name);
      expect([...plans.values()].map((plan) => 'whyNotBlocked' in plan && plan.whyNotBlocked)).to.include(reason);
    });
});
