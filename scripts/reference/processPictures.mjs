#!/usr/bin/env node
// Makes pictures ready as this project does and compares the values with those of a folder that imageProcessors.py has written.
// Prints, for each case, how it went: equal (to the bit), step (within one of 8 bits), told, or wrong with what differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');
const folder = process.argv[2];
const bundle = join(folder, 'product.mjs');
const { outputFiles } = await build({
  absWorkingDir: root,
  stdin: {
    contents:
      "export { readPreprocessing } from './src/engine/image/readPreprocessing'; export { shapePicture } from './src/engine/image/shapePicture'; export { pictureValues } from './src/engine/image/pictureValues'; export { ExplorerError } from './src/base/errors';",
    resolveDir: root,
    loader: 'ts',
  },
  bundle: true,
  format: 'esm',
  write: false,
});
writeFileSync(bundle, outputFiles[0].contents);
const { readPreprocessing, shapePicture, pictureValues, ExplorerError } = await import(bundle);

const expected = readFileSync(join(folder, 'expected.bin'));
let at = 0;

function rasterOf([width, height]) {
  const rgb = readFileSync(join(folder, `${width}x${height}.rgb`));
  const pixels = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++)
    for (let channel = 0; channel < 3; channel++) pixels[i * 4 + channel] = rgb[i * 3 + channel];
  return { width, height, pixels };
}

function resultOf({ config, size, shape, allowsStep }) {
  const wanted = new Float32Array(
    expected.buffer.slice(
      expected.byteOffset + at,
      expected.byteOffset + at + 4 * shape.reduce((product, dim) => product * dim, 1),
    ),
  );
  at += wanted.byteLength;
  let steps;
  let shaped;
  try {
    steps = readPreprocessing(config, 'model');
    shaped = shapePicture(rasterOf(size), steps, 'picture');
  } catch (error) {
    if (error instanceof ExplorerError) return { result: 'told', detail: error.message };
    throw error;
  }
  const found = [3, shaped.height, shaped.width];
  if (found.join() !== shape.join())
    return { result: 'wrong', detail: `a shape of ${found.join(' × ')} for ${shape.join(' × ')}` };
  const values = pictureValues(shaped, steps, 3, false);
  let largest = 0;
  for (let i = 0; i < values.length; i++)
    largest = Math.max(largest, Number.isNaN(values[i] - wanted[i]) ? Infinity : Math.abs(values[i] - wanted[i]));
  if (largest === 0) return { result: 'equal' };
  // What one of 8 bits is worth, in the most stretched channel.
  const step =
    (steps.rescale ?? 1) / Math.min(...(steps.normalize?.deviation ?? [1])) / Math.min(...(steps.divisors ?? [1]));
  return allowsStep && largest <= step * 1.001
    ? { result: 'step', detail: String(largest / step) }
    : { result: 'wrong', detail: `${largest}, ${largest / step} steps of 8 bits` };
}

console.log(JSON.stringify(JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')).map(resultOf)));
