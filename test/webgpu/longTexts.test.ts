import { expect } from 'chai';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import {
  AttentionSession,
  type AttentionResult,
  type LayerWeights,
  type RunOptions,
} from '../../src/engine/session/attentionSession';
import { LeanRuns } from '../../src/engine/long/leanRuns';
import { LeanSession } from '../../src/engine/long/leanSession';
import { readModelFiles, type ModelFiles } from '../../src/engine/files/modelFiles';
import type { ChosenRuntime } from '../../src/engine/runtime/runtimes';
import type { ModelInput } from '../../src/onnx/inputs/inputs';
import { fixtureAccess } from '../engine/fixtureAccess';
import { firstItem } from '../engine/firstItem';
import { expectSummaries, leanDifferences } from '../engine/leanDifferences';
import { readFixture } from '../harness/fixtures';
import { bothRuntimes, isNode } from './runtimes';

/** Nothing is held whole that can be held otherwise. */
const limits = { wholeAttentionBytes: 0, engineBytes: 2 ** 32 };

/** The most that any weight may differ from what WebAssembly gives. */
const tolerance = 1e-5;
const summaryTolerance = ({ numQueries }: LayerWeights): { maxima: number; sums: number } => ({
  maxima: tolerance,
  sums: tolerance * numQueries,
});

/** Models of the zoo with every way of holding a layer and each operator that its rows are recomputed with; the others of texts, which repeat these, were compared once. */
const cases = [
  'bert.sdpa.legacy',
  'bert.sdpa.legacy.int8',
  'gpt2.sdpa.legacy',
  'llama.sdpa.dynamo',
  'gemma2.eager.legacy',
  'modernbert.sdpa.legacy',
  't5.eager.legacy',
  'deberta_v2.eager.legacy',
  'craft.additive.legacy',
  'craft.linear.legacy',
  'craft.mha_plain',
  'craft.sigmoid.legacy',
  'craft.sink_logits.legacy',
];
/** In Node the same provider runs on another build of the runtime. */
const casesHere = isNode ? ['gpt2.sdpa.legacy', 'craft.additive.legacy'] : cases;

/** One item of what is stored for a model, with what WebAssembly makes of it and how many positions that are. */
interface Stored {
  readonly files: ModelFiles;
  readonly inputs: readonly ModelInput[];
  readonly whole: AttentionResult;
  readonly options: RunOptions & { readonly numPositions: number };
}

describe('Long texts on a software adapter', function () {
  this.timeout(300_000); // the first of all compiles most shaders
  let wasm: ChosenRuntime;
  let webgpu: ChosenRuntime;

  before(async function () {
    ({ wasm, webgpu } = await bothRuntimes(this));
  });

  const stored = async (name: string): Promise<Stored> => {
    const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), name);
    const files = await readModelFiles(
      fixtureAccess,
      `zoo/${name}/model.onnx`,
      (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0,
    );
    const inputs = toModelInputs(files.analysis.index, expected).map(firstItem);
    const session = await AttentionSession.create({ ort: wasm.runtime.ort, runtime: wasm.runtime, files });
    const whole = await session.run(inputs);
    await session.release();
    const cross = whole.layers.find(({ component }) => component === 'cross');
    return {
      files,
      inputs,
      whole,
      options: {
        numPositions: (cross ?? whole.layers[0]).numKeys,
        ...(cross === undefined ? {} : { numTargetPositions: cross.numQueries }),
      },
    };
  };

  for (const name of casesHere) {
    it(`equal WebAssembly: ${name}`, async () => {
      const { files, inputs, whole, options } = await stored(name);
      const { runtime } = webgpu;
      const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
      const runs = new LeanRuns({ ort: runtime.ort, runtime, files, isStaged: true }, session, limits);
      expect(runs.isFor(options.numPositions, options.numTargetPositions)).to.equal(true);
      const { layers, failed } = await runs.run(inputs, options);
      expect(failed).to.deep.equal([]);
      expect(layers.map(({ path, isCausal }) => [path, isCausal])).to.deep.equal(
        whole.layers.map(({ path, isCausal }) => [path, isCausal]),
      );
      for (const [i, layer] of layers.entries()) {
        const { rows, vectors } = await leanDifferences(layer, whole.layers[i]);
        expect(rows, layer.path).to.be.at.most(tolerance);
        expect(vectors, layer.path).to.be.at.most(tolerance);
        expectSummaries(layer, whole.layers[i], [1, 1], summaryTolerance(layer));
        layer.inParts?.release?.();
      }
      await runs.suspend();
      await session.release();
    });
  }

  it('are reduced to blocks, those at the edge too', async () => {
    const { files, inputs, whole, options } = await stored('t5.eager.legacy');
    const { runtime } = webgpu;
    const lean = await LeanSession.create({ ort: runtime.ort, runtime, files }, { source: 3, target: 2 });
    const { layers } = await lean.run(inputs, options);
    expect(layers.length).to.equal(whole.layers.length);
    for (const [i, layer] of layers.entries()) {
      expectSummaries(
        layer,
        whole.layers[i],
        layer.component === 'encoder' ? [8, 8] : layer.component === 'decoder' ? [4, 4] : [4, 8],
        summaryTolerance(layer),
      );
      layer.inParts?.release?.();
    }
    await lean.release();
  });
});
