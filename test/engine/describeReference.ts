import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors } from '../../src/cli/safetensors';
import { floatBytes, toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { toTensor } from '../../src/engine/runtime/feeds';
import { openExternalData, readModelFiles } from '../../src/engine/files/modelFiles';
import { rewriteModel } from '../../src/onnx/rewrite/rewriteModel';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

interface Meta {
  readonly tolerance: number;
  readonly rows?: 'unnormalised' | 'below one';
  readonly attentions: Readonly<Record<string, readonly number[]>>;
}

/** How far a run in stages may be from one of the whole model. */
const stagedTolerance = 1e-6;

const floats = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Tests of one model below test/fixtures that lies beside the attention that the reference library computes. */
export function describeReference(folder: string): void {
  describe(folder, () => {
    let ort: typeof Ort;
    before(async () => {
      ort = await importRuntime();
    });

    const open = async (wantOutputs: boolean, isStaged = false) => {
      const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), 'expected.safetensors');
      const files = await readModelFiles(
        fixtureAccess,
        `${folder}/model.onnx`,
        (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0,
      );
      const meta = JSON.parse(await readFixtureText(`${folder}/meta.json`)) as Meta;
      const session = await AttentionSession.create({ ort, files, wantOutputs, isStaged });
      return { expected, files, meta, session, inputs: toModelInputs(files.analysis.index, expected) };
    };

    it('equals the reference, and nothing is missed or added', async () => {
      const { expected, session, meta, inputs } = await open(false);
      const { layers, failed } = await session.run(inputs);
      await session.release();
      expect(failed).to.deep.equal([]);
      const wanted = [...expected.keys()].filter((key) => key.startsWith('attention.')).sort();
      const components = new Set(wanted.map((key) => key.split('.')[1]));
      const found = new Map(
        layers.map((layer) => [`attention.${components.has('self') ? 'self' : layer.component}.${layer.layer}`, layer]),
      );
      expect([...found.keys()].sort()).to.deep.equal(wanted);
      for (const key of wanted) {
        const reference = expected.get(key);
        const layer = found.get(key);
        if (reference === undefined || layer === undefined) throw new Error(key);
        const shape = [layer.batch, layer.numHeads, layer.numQueries, layer.numKeys];
        // The reference leaves the head out where there is but one.
        expect(reference.shape.length === 3 ? [shape[0], ...shape.slice(2)] : shape).to.deep.equal(reference.shape);
        expect(largestDifference(layer.weights, floats(reference.data)), key).to.be.at.most(meta.tolerance);
        expect(layer.rowSum).to.equal(
          meta.rows === 'unnormalised' ? 'any' : meta.rows === 'below one' ? 'atMostOne' : 'one',
        );
      }
    });

    it("leaves the model's own outputs equal to the last bit, and gives the same in stages", async () => {
      const { files, session, inputs, expected } = await open(true);
      const { outputs, layers } = await session.run(inputs);
      await session.release();
      const isOptimized = session.notices.every(({ code }) => code !== 'notOptimized');
      const locations = rewriteModel(files.analysis, { sites: [], isWhole: true }).externalFiles;
      const { files: externalData } = await openExternalData(files, locations);
      const plain = await ort.InferenceSession.create(await readFixture(`${folder}/model.onnx`), {
        externalData,
        logSeverityLevel: 4,
        graphOptimizationLevel: isOptimized ? 'all' : 'disabled',
      });
      const results = await plain.run(Object.fromEntries(inputs.map((input) => [input.name, toTensor(ort, input)])));
      await plain.release();
      expect([...outputs.keys()]).to.deep.equal(Object.keys(results));
      for (const [key, output] of outputs)
        expect(largestDifference(output.data as Float32Array, results[key].data as Float32Array), key).to.equal(0);
      const [first] = outputs.values();
      // Where a cut parts what the runtime would compute in one, sums are in another order.
      const { session: staged } = await open(true, true);
      const again = await staged.run(inputs);
      await staged.release();
      expect(staged.report.stages?.failure).to.equal('');
      expect(again.failed).to.deep.equal([]);
      expect(again.layers.map(({ path }) => path)).to.deep.equal(layers.map(({ path }) => path));
      again.layers.forEach(({ weights, path }, at) =>
        expect(largestDifference(weights, layers[at].weights), path).to.be.at.most(stagedTolerance),
      );
      for (const [key, output] of outputs)
        expect(
          largestDifference(output.data as Float32Array, again.outputs.get(key)?.data as Float32Array),
          key,
        ).to.be.at.most(stagedTolerance);
      const reference = expected.get('output');
      if (reference !== undefined && first !== undefined)
        expect(floatBytes(first.data as Float32Array).length).to.equal(reference.data.length);
    });
  });
}
