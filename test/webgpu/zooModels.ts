// Models of the zoo as an engine reads them: with a tokenizer that all of them take.
import type { FileAccess } from '../../src/engine/files/fileAccess';
import type { ModelSpec } from '../../src/protocol';
import { fixtureAccess } from '../engine/fixtureAccess';
import { tinyTokenizer } from '../harness/tinyTokenizer';

/** The files of the tests, and the tokenizer. */
export const access: FileAccess = {
  ...fixtureAccess,
  read: (path, kind) =>
    path === 'tiny.json' ? Promise.resolve(new TextEncoder().encode(tinyTokenizer())) : fixtureAccess.read(path, kind),
  exists: (path) => (path === 'tiny.json' ? Promise.resolve(true) : fixtureAccess.exists(path)),
};

/** A model of the zoo, to be run on WebGPU. */
export const specOf = (name: string): ModelSpec => ({
  path: `zoo/${name}/model.onnx`,
  tokenizerPath: 'tiny.json',
  backend: 'webgpu',
  threads: 1,
});
