import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { analyzeModel } from '../../../src/onnx/analyzeModel';
import { readModel } from '../../../src/onnx/readModel';
import { rewriteModel } from '../../../src/onnx/rewriteModel';
import { mutate, seededRandom } from './mutate';
import { allowedCodes, readEverything } from './readEverything';

// Feeds mutations of the zoo's models to all that reads them, until so many are done or the time is up.
const [count = '1000000', seconds = 'Infinity', seed = '1'] = process.argv.slice(2);
/** No input may take longer than this, in milliseconds of the processor. */
const patience = 5000;

const models = ['zoo', 'loops', 'functions']
  .flatMap((folder) => readdirSync(`test/fixtures/${folder}`).map((name) => `test/fixtures/${folder}/${name}/model.onnx`))
  .filter((path) => existsSync(path))
  .map((path) => new Uint8Array(readFileSync(path)))
  // Each of them also without its large weights, where every change meets the graph.
  .flatMap((bytes) => [bytes, withoutWeights(bytes)]);
const random = seededRandom(Number(seed));

function withoutWeights(bytes: Uint8Array): Uint8Array {
  return rewriteModel(analyzeModel(readModel(bytes, 'model.onnx')), { sites: [], isWhole: true }).bytes;
}

const began = Date.now();
const codes = new Map<string, number>();
let slowest = 0;
let done = 0;
for (; done < Number(count) && Date.now() - began < Number(seconds) * 1000; done++) {
  // The time goes evenly to files of all sizes: what takes a tenth is read ten times as often.
  let model = models[Math.floor(random() * models.length)];
  while (model !== undefined && random() > 2000 / model.length) model = models[Math.floor(random() * models.length)];
  if (model === undefined) break;
  const bytes = mutate(model, random);
  const started = process.cpuUsage();
  let code: string;
  try {
    code = readEverything(bytes);
  } catch (error) {
    code = `untyped: ${String(error)}`;
    console.error(error);
  }
  const { user, system } = process.cpuUsage(started);
  const took = (user + system) / 1000;
  slowest = Math.max(slowest, took);
  codes.set(code, (codes.get(code) ?? 0) + 1);
  if (!allowedCodes.has(code) || took > patience) {
    writeFileSync('out/fuzz-failure.onnx', bytes);
    console.error(`Input ${done} of seed ${seed}: ${code}, ${took.toFixed(0)} ms; kept as out/fuzz-failure.onnx`);
    process.exit(1);
  }
}
console.log(`${done} inputs in ${((Date.now() - began) / 1000).toFixed(0)} s, the slowest ${slowest.toFixed(0)} ms: ${[...codes].map(([code, times]) => `${code === '' ? 'read' : code} ${times}`).join(', ')}`);
