import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tinyTokenizer } from '../harness/tinyTokenizer';

/** Models of text that runs go through: those bundled, and fixtures of other kinds with a tokenizer put beside them. */
export function textModels(folder: string): string[] {
  const tiny = (name: string, path: string): string => {
    const target = resolve(join(folder, 'models', name));
    mkdirSync(target, { recursive: true });
    cpSync(path, join(target, 'model.onnx'));
    writeFileSync(join(target, 'tokenizer.json'), tinyTokenizer());
    writeFileSync(join(target, 'config.json'), JSON.stringify({ model_type: 'gpt2', n_positions: 64, vocab_size: 99 }));
    return target;
  };
  return [
    ...['code-decoder', 'code-encoder', 'date-transformer', 'date-seq2seq'].map((name) =>
      resolve(`media/models/${name}`),
    ),
    ...['t5.split', 'bart.whole', 'marian.merged'].map((name) => resolve(`test/fixtures/seq2seq/${name}`)),
    tiny('gpt2', 'test/fixtures/zoo/gpt2.sdpa.legacy/model.onnx'),
    tiny('pasts', 'test/fixtures/pasts/gpt2/model.onnx'),
  ];
}

/** Texts that runs are of: code. */
export const source = readFileSync('test/fixtures/code/heldOut.py.txt', 'utf8');

/** The model whose runs are measured: always the same, so that what is held can be compared. */
export const measuredModel = resolve('media/models/code-decoder');
