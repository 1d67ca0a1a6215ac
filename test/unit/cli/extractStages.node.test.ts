import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { extract } from '../../../src/cli/extract';
import { readSafetensors, writeSafetensors, type StoredTensor } from '../../../src/cli/safetensors';

/**
 * Where a cut hides a shape from the runtime, it does not join an addition to what follows it, and sums are in another order; weights
 * that are scaled up to be peaked, as in these files, let such differences grow from layer to layer.
 */
const tolerance = 1e-5;

const farthest = (a: StoredTensor, b: StoredTensor): number => {
  const [own, other] = [a, b].map(({ data }) => new Float32Array(Uint8Array.from(data).buffer));
  return own.reduce((largest, value, at) => Math.max(largest, Math.abs(value - other[at])), 0);
};

describe('extracting layer by layer', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-stages-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const name of ['windows/swin.legacy', 'windows/hiera.legacy', 'windows/pvt.legacy', 'zoo/whisper.sdpa.dynamo'])
    it(`writes what it writes of the whole model: ${name}`, async () => {
      const [feeds, out] = [join(folder, 'feeds.safetensors'), join(folder, 'out.safetensors')];
      const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i));
      writeFileSync(
        feeds,
        name.startsWith('zoo')
          ? readFileSync(`test/fixtures/${name}/expected.safetensors`)
          : writeSafetensors(
              new Map([
                ['in.pixel_values', { dtype: 'F32', shape: [1, 3, 32, 32], data: new Uint8Array(pixels.buffer) }],
              ]),
            ),
      );
      const written = async (isStaged: boolean) => {
        const said = await extract({
          model: `test/fixtures/${name}/model.onnx`,
          feeds,
          out,
          backend: 'wasm',
          isStaged,
        });
        return { said, tensors: readSafetensors(readFileSync(out), out) };
      };
      const [whole, staged] = [await written(false), await written(true)];
      expect(staged.said).to.match(/Run in [3-7] stages/);
      expect([...staged.tensors.keys()]).to.deep.equal([...whole.tensors.keys()]);
      for (const [key, tensor] of whole.tensors) {
        const other = staged.tensors.get(key);
        expect(other?.shape, key).to.deep.equal(tensor.shape);
        if (other !== undefined) expect(farthest(other, tensor), key).to.be.at.most(tolerance);
      }
    });
});
