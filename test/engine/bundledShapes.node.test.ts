import { readFileSync, readdirSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { ImageModel } from '../../src/engine/image/imageModel';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { Runtime } from '../../src/engine/runtime/runtime';
import { patchAt } from '../../src/model/patchGrid';
import type { PatchGrid } from '../../src/model/token';
import type { PictureView } from '../../src/protocol';
import { readFixture } from '../harness/fixtures';
import { listedHead } from '../harness/listedHead';

// The bundled models of pictures, measured on pictures of test/fixtures/shapes, which were never trained on.
const root = process.cwd();
const read = (path: string): Buffer => readFileSync(`${root}/${path}`);

interface HeldOut {
  readonly count: number;
  readonly side: number;
  readonly bits: number;
}

const { count, side, bits } = JSON.parse(read('test/fixtures/shapes/heldOut.json').toString()) as HeldOut; // written by scripts/models
const content = gunzipSync(read('test/fixtures/shapes/heldOut.bin.gz'));
const labels = [...content.subarray(0, count)];
const valuesOfPicture = 3 * side * side;

/** What each stored value stands for: from −1 to 1. */
const levels = Float32Array.from(
  { length: 2 ** bits },
  (_, value) => (Math.round((value * 255) / (2 ** bits - 1)) / 255 - 0.5) / 0.5,
);

/** Pictures as the models read them. */
function pixelValues(first: number, many: number): Float32Array {
  const values = new Float32Array(many * valuesOfPicture);
  for (let i = 0, at = count + first * valuesOfPicture; i < values.length; i++, at++) values[i] = levels[content[at]];
  return values;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.length === b.length
    ? a.reduce((largest, value, i) => Math.max(largest, Number.isNaN(value) ? Infinity : Math.abs(value - b[i])), 0)
    : Infinity;
}

/** Whether a part of a patch is as colourful as only the shapes are. */
function showsShape({ width, pixels }: PictureView, grid: PatchGrid, position: number): boolean {
  const rect = patchAt(grid, position);
  if (rect === undefined) return false;
  let numColourful = 0;
  for (let y = rect.row * grid.patchHeight; y < (rect.row + 1) * grid.patchHeight; y++) {
    for (let x = rect.column * grid.patchWidth; x < (rect.column + 1) * grid.patchWidth; x++) {
      const colour = pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 3);
      if (Math.max(...colour) - Math.min(...colour) > 110) numColourful++;
    }
  }
  return numColourful >= 4;
}

for (const name of ['shapes-vit', 'shapes-linear-vit']) {
  describe(`the bundled ${name}`, () => {
    const folder = `${root}/media/models/${name}`;
    const isLinear = name === 'shapes-linear-vit';
    let session: AttentionSession;
    before(async () => {
      session = await AttentionSession.create({
        ort,
        files: await readModelFiles(nodeFileAccess, `${folder}/model.onnx`),
        wantOutputs: true,
      });
    });
    after(() => session.release());

    // shapes-vit has not been trained long enough for 97 % yet.
    const least = 0.97;
    it(`tells shape and colour of at least ${100 * least} % of pictures that it never saw`, async function () {
      this.timeout(60_000);
      const wrong: number[] = [];
      for (let first = 0; first < count; first += 40) {
        const many = Math.min(40, count - first);
        const { outputs } = await session.run(
          [{ name: 'pixel_values', type: 'float32', dims: [many, 3, side, side], data: pixelValues(first, many) }],
          { batch: many },
        );
        const logits = outputs.get('logits')?.data;
        if (!(logits instanceof Float32Array)) throw new Error('no logits');
        const width = logits.length / many;
        for (let i = 0; i < many; i++) {
          const own = logits.subarray(i * width, (i + 1) * width);
          if (own.indexOf(Math.max(...own)) !== labels[first + i]) wrong.push(first + i);
        }
      }
      expect(count).to.be.at.least(250);
      expect(wrong.length / count, `wrong: ${wrong.join(', ')}`).to.be.at.most(1 - least);
    });

    it("attends as PyTorch's model does with the same weights", async () => {
      const expected = readSafetensors(await readFixture(`shapes/${name}.safetensors`), `${name}.safetensors`);
      const floats = (key: string): Float32Array =>
        new Float32Array((expected.get(key)?.data ?? new Uint8Array()).slice().buffer);
      const { analysis } = await readModelFiles(nodeFileAccess, `${folder}/model.onnx`);
      expect(analysis.missed).to.deep.equal([]);
      const { layers, failed, outputs } = await session.run(toModelInputs(analysis.index, expected));
      expect(failed).to.deep.equal([]);
      expect(
        layers.map((layer) => [
          layer.component,
          layer.layer,
          layer.method,
          layer.rowSum,
          layer.numHeads,
          layer.numQueries,
          layer.numKeys,
        ]),
      ).to.deep.equal([0, 1, 2, 3].map((layer) => ['self', layer, isLinear ? 'derived' : 'exposed', 'one', 4, 65, 65]));
      for (const { layer, weights, numKeys } of layers) {
        // Of linear attention the rows of PyTorch miss one by what keeps its division from being one by zero.
        expect(largestDifference(weights, floats(`attention.${layer}`)), `layer ${layer}`).to.be.at.most(1e-5);
        for (let row = 0; row < weights.length; row += numKeys)
          expect(weights.subarray(row, row + numKeys).reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(1, 1e-4);
      }
      const logits = outputs.get('logits')?.data;
      expect(logits instanceof Float32Array ? largestDifference(logits, floats('logits')) : Infinity).to.be.at.most(
        1e-3,
      );
    });

    it('names what the sample pictures show, of whatever size they are, and looks there in the head that is shown first', async () => {
      const runtime = new Runtime(ort, 1);
      await runtime.initialize(1);
      const model = await ImageModel.load({ runtime, reason: '' }, nodeFileAccess, {
        path: folder,
        backend: 'auto',
        threads: 1,
      });
      const samples = readdirSync(`${root}/media/models/shapes-vit/samples`);
      expect(samples).to.have.lengthOf.at.least(5);
      for (const sample of samples) {
        const { picture, notices } = await model.prepare(read(`media/models/shapes-vit/samples/${sample}`), sample);
        const {
          streams: [stream],
          answers,
          layers,
        } = await model.run(picture);
        expect(notices).to.deep.equal([]);
        expect(stream.grid).to.include({ rows: 8, columns: 8, first: 1 });
        expect(answers.map((answer) => `${answer.label.replace(' ', '-')}.png`)).to.deep.equal([sample]);
        // In the head that is shown first, the class token looks at the shape.
        const { layer, head } = listedHead(name);
        const row = await layers[layer].rows(head, 0, 1);
        let onShape = 0;
        row.forEach((weight, position) => {
          if (stream.grid !== undefined && position >= stream.grid.first && showsShape(picture, stream.grid, position))
            onShape += weight;
        });
        expect(onShape, `${sample}: weight of the class token on the shape`).to.be.at.least(0.9);
      }
      await model.release();
    });
  });
}
