// transformers.js is no dependency of ours: it brings a runtime for every platform and an image library. On request it is installed below out/.
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, type OtherProgram } from './otherProgram';

const release = '@huggingface/transformers@4.3.1';

const program = `
import { readFileSync } from 'node:fs';
import { AutoModel, Tensor, env } from '@huggingface/transformers';
const [root, name, threads] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = root;
// Any model is run as an encoder: what its graph takes is fed, and what it gives comes back.
const model = await AutoModel.from_pretrained(name, { dtype: 'fp32', device: 'cpu', session_options: { intraOpNumThreads: Number(threads) } });
console.log('ready transformers.js ' + env.version);
const lines = (await import('node:readline')).createInterface({ input: process.stdin });
for await (const line of lines) {
  const length = Number(line);
  const ids = BigInt64Array.from({ length }, (_, i) => BigInt((i * 7919) % 30522));
  const outputs = await model({ input_ids: new Tensor('int64', ids, [1, length]), attention_mask: new Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]) });
  if (Object.values(outputs)[0].dims[1] !== length) throw new Error('another shape');
  console.log('done');
}
`;

/** Starts transformers.js, from `folder`, on a model file; undefined where it is not installed and BENCH_TRANSFORMERS_JS does not ask for it. */
export async function startTransformersJs(
  folder: string,
  model: string,
  name: string,
  threads: number,
): Promise<OtherProgram | undefined> {
  if (!existsSync(join(folder, 'node_modules', '@huggingface', 'transformers'))) {
    if (process.env['BENCH_TRANSFORMERS_JS'] === undefined) return undefined;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const { status } = spawnSync(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', release],
      { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    if (status !== 0) return undefined;
  }
  const place = join(folder, 'models', name);
  mkdirSync(join(place, 'onnx'), { recursive: true });
  writeFileSync(join(place, 'config.json'), JSON.stringify({ model_type: 'bert', architectures: ['BertModel'] }));
  rmSync(join(place, 'onnx', 'model.onnx'), { force: true });
  linkSync(model, join(place, 'onnx', 'model.onnx'));
  const script = join(folder, 'run.mjs');
  writeFileSync(script, program);
  return startProgram(process.execPath, [script, join(folder, 'models'), name, String(threads)]);
}
