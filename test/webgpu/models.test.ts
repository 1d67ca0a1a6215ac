import { expect } from 'chai';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession, type AttentionResult } from '../../src/engine/session/attentionSession';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import type { ChosenRuntime } from '../../src/engine/runtime/runtimes';
import { fixtureAccess } from '../engine/fixtureAccess';
import { zooCases } from '../engine/zooCases';
import { readFixture } from '../harness/fixtures';
import { bothRuntimes, isNode } from './runtimes';

/** The most that any weight, or any value of the model's own outputs, may differ from what WebAssembly gives. */
const tolerance = 1e-5;

/** What a software adapter or the native runtime cannot run, with what it says: such models are read on another backend. */
const refusals: Readonly<Record<string, RegExp>> = {
  'zoo/bert.sdpa.legacy.fp16': /f16/, // the adapter has no 16-bit floats
  ...(isNode ? { 'zoo/craft.qattention': /./ } : {}), // the exact mode for 8 bits does not load it on processors without 8-bit dot products
};

// All of the zoo, and some of what it has not: bodies of loops, functions, linear attention.
const cases = [
  ...zooCases.map((name) => `zoo/${name}`),
  'functions/bert.nested',
  'loops/bmm.scripted',
  'loops/einsum.scripted',
  'loops/heads.scripted',
  'loops/layers.dynamo',
  'loops/scan.dynamo',
  'loops/shared_layers.dynamo',
  'linear/divided.legacy',
  'linear/ellipsis.dynamo',
  'linear/flat_heads.legacy',
  'linear/mean_of_keys.qdq',
  'linear/ones_beside_values.optimised',
  'linear/softmaxed.legacy',
];

/** In Node, where the same provider runs on another build of the runtime, the operators that need the processor and a few others. */
const casesHere = isNode
  ? cases.filter((name) =>
      /craft\.(?:gqa|mha|additive)|modernbert|llama|fp16|qattention|gpt2\.sdpa\.legacy$|bmm/.test(name),
    )
  : cases;

function largestDifference(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(Number(a[i]) - Number(b[i]));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

describe('WebGPU on a software adapter', function () {
  this.timeout(120_000);
  let wasm: ChosenRuntime;
  let webgpu: ChosenRuntime;

  before(async function () {
    ({ wasm, webgpu } = await bothRuntimes(this));
  });

  for (const name of casesHere) {
    it(`equals WebAssembly: ${name}`, async () => {
      const expected = readSafetensors(await readFixture(`${name}/expected.safetensors`), name);
      const files = await readModelFiles(
        fixtureAccess,
        `${name}/model.onnx`,
        (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0,
      );
      const runOn = async ({ runtime }: ChosenRuntime): Promise<AttentionResult> => {
        const session = await AttentionSession.create({ ort: runtime.ort, runtime, files, wantOutputs: true });
        try {
          return await session.run(toModelInputs(files.analysis.index, expected));
        } finally {
          await session.release();
        }
      };
      const reference = await runOn(wasm);
      if (name in refusals) {
        const refused = await runOn(webgpu).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refused !== undefined) {
          expect(refused).to.have.property('code', 'runtimeFailed');
          expect(refused).to.have.property('details').that.match(refusals[name]);
          return;
        }
      }
      const result = await runOn(webgpu);
      expect(result.failed).to.deep.equal([]);
      expect(result.layers.map(({ path }) => path)).to.deep.equal(reference.layers.map(({ path }) => path));
      result.layers.forEach(({ path, weights }, i) =>
        expect(largestDifference(weights, reference.layers[i].weights), path).to.be.at.most(tolerance),
      );
      expect([...result.outputs.keys()]).to.deep.equal([...reference.outputs.keys()]);
      for (const [output, { data }] of result.outputs) {
        const plain = reference.outputs.get(output)?.data as Float32Array; // numbers, in the zoo
        const size = plain.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
        expect(largestDifference(data as Float32Array, plain), output).to.be.at.most(tolerance * size); // as above
      }
    });
  }
});
