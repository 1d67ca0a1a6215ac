import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { analyzeModel } from '../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../src/onnx/file/readModel';
import { rewriteModel } from '../../../src/onnx/rewrite/rewriteModel';
import { mutate } from '../../unit/onnx/mutate';
import { allowedCodes, readEverything } from '../../unit/onnx/readEverything';
import { below, type FuzzTarget } from './fuzzTarget';
import { mutateWire } from './mutateWire';

/** The reader of models: bytes changed at random, and models changed in one field with all lengths right. */
export function onnxTarget(): FuzzTarget {
  const models = ['zoo', 'loops', 'functions']
    .flatMap((folder) =>
      readdirSync(`test/fixtures/${folder}`).map((name) => `test/fixtures/${folder}/${name}/model.onnx`),
    )
    .filter((path) => existsSync(path))
    .map((path) => new Uint8Array(readFileSync(path)))
    // Each of them also without its large weights, where every change meets the graph.
    .flatMap((bytes) => [bytes, withoutWeights(bytes)]);
  return {
    allowed: allowedCodes,
    run(random) {
      // The time goes evenly to files of all sizes: what takes a tenth is read ten times as often.
      let model = models[below(random, models.length)];
      for (let tries = 0; tries < 50 && random() > 2000 / model.length; tries++)
        model = models[below(random, models.length)];
      if (random() < 0.4) return readEverything(mutate(model, random));
      let bytes = model;
      for (let i = below(random, 3); i >= 0; i--) bytes = mutateWire(random, bytes);
      return readEverything(bytes);
    },
  };
}

function withoutWeights(bytes: Uint8Array): Uint8Array {
  return rewriteModel(analyzeModel(readModel(bytes, 'model.onnx')), { sites: [], isWhole: true }).bytes;
}
