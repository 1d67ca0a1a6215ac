// What heads do to predictions, beside plain runs that give logits and beside PyTorch with hooks.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as native from 'onnxruntime-node';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtime/runtimes';
import { toTensor } from '../src/engine/runtime/feeds';
import { LoadedModel } from '../src/engine/serve/loadedModel';
import type { PredictedRun } from '../src/engine/predict/predictedFile';
import type { EffectQuestion } from '../src/model/effects/effects';
import { startProgram, type OtherProgram } from './otherProgram';
import { engineEnvironment } from '../src/host/engine/engineEnvironment';
import { bertBase, writeRandomBert } from './randomBert';
import { gpt2Small, writeRandomGpt2 } from './randomGpt2';
import { interleave, median, ms, table } from './statistics';

if (process.env['BENCH_EFFECTS_INSIDE'] === undefined) {
  // As in the engine's own process.
  const env = { ...process.env, ...engineEnvironment(process.env), BENCH_EFFECTS_INSIDE: '1' };
  const args = [...process.execArgv, fileURLToPath(import.meta.url)];
  process.exit(spawnSync(process.execPath, args, { env, stdio: 'inherit' }).status ?? 1);
}

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const threads = Number(process.env['BENCH_THREADS'] ?? 2);
const folder = resolve('out/bench');
const numTokens = 128;
/** What takes a moment is measured more often. */
const leastParts = 15;

/** A model's folder, with a tokenizer whose words are w0, w1, … */
function writeFolder(name: string, kind: string, vocabulary: number, write: (path: string) => void): string {
  const path = resolve(folder, name);
  if (existsSync(resolve(path, 'config.json'))) return path;
  console.error(`Writing ${name} with random weights, once.`);
  mkdirSync(path, { recursive: true });
  write(resolve(path, 'model.onnx'));
  const vocab = Object.fromEntries(Array.from({ length: vocabulary }, (_, i) => [i === 0 ? '[MASK]' : `w${i}`, i]));
  const added = { id: 0, content: '[MASK]', single_word: false, lstrip: false, rstrip: false, normalized: false };
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [{ ...added, special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: '[MASK]' },
  };
  writeFileSync(resolve(path, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(
    resolve(path, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', mask_token: '[MASK]' }),
  );
  writeFileSync(resolve(path, 'config.json'), JSON.stringify({ model_type: kind, vocab_size: vocabulary }));
  return path;
}

/** A loop over heads that are zeroed by a hook, one run each; a line on the input says how many. */
const python = `
import sys, torch, transformers
kind, threads, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(0)
if kind == "bert":
    model = transformers.BertForMaskedLM(transformers.BertConfig())
    projections = [layer.attention.output.dense for layer in model.bert.encoder.layer]
else:
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(use_cache=False))
    projections = [block.attn.c_proj for block in model.transformer.h]
model.eval()
ids = torch.arange(tokens).mul(7919).remainder(30000)[None]
def silent(head):
    def hook(_, inputs):
        given = inputs[0].clone()
        given[..., head * 64 : (head + 1) * 64] = 0
        return (given,)
    return hook
print("ready PyTorch", torch.__version__, flush=True)
for line in sys.stdin:
    with torch.inference_mode():
        for i in range(int(line)):
            handle = projections[i % 12].register_forward_pre_hook(silent(i // 12))
            model(ids).logits.log_softmax(-1)[0, -1, 5].item()
            handle.remove()
    print("done", flush=True)
`;
/** So many heads are silenced there in a round: all take as long. */
const numInPython = 12;

interface Case {
  readonly title: string;
  readonly path: string;
  readonly text: string;
  readonly numHeads: number;
  readonly token: EffectQuestion;
  readonly python?: 'bert' | 'gpt2';
}

mkdirSync(folder, { recursive: true });
const words = (count: number): string =>
  Array.from({ length: count }, (_, i) => `w${1 + ((i * 7919) % 30000)}`).join(' ');
const cases: readonly Case[] = [
  {
    title: 'BERT-base size, masked language model',
    path: writeFolder('effects-bert', 'bert', bertBase.vocabulary, (path) => writeRandomBert(path, bertBase, {}, true)),
    text: words(numTokens),
    numHeads: 144,
    token: { kind: 'token', position: 100, token: 5 },
    python: 'bert',
  },
  {
    title: 'GPT-2-small size',
    path: writeFolder('effects-gpt2', 'gpt2', gpt2Small.vocabulary, (path) => writeRandomGpt2(path, gpt2Small)),
    text: words(numTokens),
    numHeads: 144,
    token: { kind: 'token', position: numTokens, token: 5 },
    python: 'gpt2',
  },
  {
    title: 'code-decoder, bundled',
    path: resolve('media/models/code-decoder'),
    text: readFileSync('media/sample/fibonacci.py', 'utf8'),
    numHeads: 32,
    token: { kind: 'token', position: numTokens, token: 5 },
  },
];
const wanted = process.env['BENCH_MODELS']?.split(',');

const choosing = new Runtimes({ native: () => Promise.resolve(native) }, threads).choose('native', threads);
const load = async (path: string, staging: 'none' | 'large' = 'large'): Promise<LoadedModel> =>
  LoadedModel.load(
    await choosing,
    nodeFileAccess,
    { path, backend: 'native', threads },
    {
      staging,
    },
  );

/** A plain session of the model's file, as anyone would make it, and what it is fed. */
async function plainRun(path: string, model: LoadedModel): Promise<() => Promise<unknown>> {
  const session = await native.InferenceSession.create(resolve(path, 'model.onnx'), { intraOpNumThreads: threads });
  const inputs = model.fed.flatMap((each) => each.inputs).filter(({ name }) => session.inputNames.includes(name));
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toTensor(native, input)]));
  return () => session.run(feeds, ['logits']);
}

const rows: (string | number)[][] = [];
const cells: (string | number)[][] = [];
for (const { title, path, text, numHeads, token, python: kind } of cases) {
  if (wanted !== undefined && !wanted.some((name) => path.includes(name))) continue;
  const model = await load(path);
  const explained = await model.explain({ text, tokenLimit: numTokens });
  const run: PredictedRun = { ...explained, fed: model.fed };
  const [{ component }] = explained.components;
  const plain = await plainRun(path, model);
  const other: OtherProgram | undefined =
    kind === undefined
      ? undefined
      : await startProgram(process.env['BENCH_PYTHON'] ?? 'python3', [
          '-c',
          python,
          kind,
          String(threads),
          String(numTokens),
        ]);
  const scan = (question: EffectQuestion): Promise<unknown> =>
    model.effects.headEffects(run, { question, by: 'zero', path: 'total' });
  const layer = Math.floor(explained.components[0].layers.length / 2);
  const silent = { kind: 'silence', component, heads: [{ layer, head: 1 }], by: 'zero' } as const;
  const block = {
    kind: 'block',
    component,
    heads: [{ layer, head: 1 }],
    query: 60,
    key: 40,
    isRenormalized: true,
  } as const;
  await scan(token);
  await model.effects.effect(run, { question: token, interventions: [block], path: 'total' });
  const times = await interleave(rounds, {
    plain,
    again: plain,
    token: () => scan(token),
    loss: () => scan({ kind: 'loss' }),
    other: () => other?.run(numInPython) ?? Promise.resolve(),
  });
  const ask = (intervention: typeof silent | typeof block) => () =>
    model.effects.effect(run, { question: token, interventions: [intervention], path: 'total' });
  // Short, and of the same plain run, which the first round makes anew, as the question before masked other tokens.
  const parts = await interleave(Math.max(rounds, leastParts), { after: ask(silent), cell: ask(block) });
  const once = times.plain.map((time, i) => Math.min(time, times.again[i]));
  const ratio = (list: readonly number[], by: readonly number[]): number => median(list.map((time, i) => time / by[i]));
  const all = once.map((time) => numHeads * time);
  const hooked = times.other.map((time) => (time * numHeads) / numInPython);
  rows.push([
    title,
    ms(median(once)),
    ms(median(times.token)),
    kind === undefined ? ratio(times.token, once).toFixed(1) : ratio(times.token, all).toFixed(3),
    ms(median(times.loss)),
    kind === undefined ? ratio(times.loss, once).toFixed(1) : ratio(times.loss, all).toFixed(3),
    other === undefined ? '–' : ms(median(hooked)),
    other === undefined ? '–' : ratio(times.token, hooked).toFixed(3),
    other === undefined ? '–' : ratio(times.loss, hooked).toFixed(3),
  ]);
  cells.push([
    title,
    layer,
    ms(median(parts.after)),
    ms(median(parts.cell)),
    ratio(parts.cell, parts.after).toFixed(2),
  ]);
  if (other !== undefined)
    console.error(`${other.title}: ${numInPython} heads a round, taken ${numHeads / numInPython} times.`);
  other?.stop();
  await model.release();
}
console.log(
  `Random weights but for the bundled model, ${numTokens} tokens, native, ${threads} threads; medians of ${rounds}, in turn. «Plain» is one run of the file in a session of its own that gives its logits, the faster of two. «One position» and «mean loss» are the total effect of all heads, ÷ as many plain runs as there are heads, or of the bundled model ÷ one. PyTorch zeroes one head after another by a hook, ${numInPython} of them, with random weights of the same sizes.\n`,
);
console.log(
  table(
    [
      'model',
      'plain ms',
      'one position ms',
      '÷ plain',
      'mean loss ms',
      '÷ plain',
      'PyTorch ms',
      'position ÷ PyTorch',
      'loss ÷ PyTorch',
    ],
    rows,
  ),
);
console.log(
  `\nOne blocked cell, to the new prediction, beside a silent head of the same layer: the part of the run after that layer.\n\n${table(['model', 'layer', 'after the layer ms', 'blocked cell ms', 'ratio'], cells)}`,
);

if (wanted === undefined || wanted.includes('predictions')) {
  const path = resolve(folder, 'effects-gpt2');
  const model = await load(path);
  const explained = await model.explain({ text: words(256), tokenLimit: 256 });
  const run: PredictedRun = { ...explained, fed: model.fed };
  const plain = await plainRun(path, model);
  await model.predict(run);
  const times = await interleave(Math.max(rounds, 9), { plain, predictions: () => model.predict(run) });
  const ratio = median(times.predictions.map((time, i) => time / times.plain[i]));
  console.log(
    `\nPredictions at every position (log-probability, rank, entropy, five alternatives) beside the same run that gives its logits: GPT-2-small size, 256 tokens.\n\n${table(['logits ms', 'predictions ms', 'ratio'], [[ms(median(times.plain)), ms(median(times.predictions)), ratio.toFixed(3)]])}`,
  );
  await model.release();
}
process.exit(0);
