import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mutatePicture, allowedImageCodes, imagePatience, readPicture } from './fuzzImages';
import { seededRandom } from '../unit/onnx/mutate';

// Feeds mutations of the pictures of the tests to all that reads them, until so many are done or the time is up.
const [count = '1000000', seconds = 'Infinity', seed = '1'] = process.argv.slice(2);
/** Bytes that the process may take, whatever the pictures claim: the largest one decoded, and what a codec needs for it. */
const most = 2 ** 31;

const pictures = readdirSync('test/fixtures/images').filter((name) => /\.(?:png|jpg|webp|gif)$/.test(name)).map((name) => new Uint8Array(readFileSync(`test/fixtures/images/${name}`)));
const random = seededRandom(Number(seed));
const began = Date.now();
const codes = new Map<string, number>();
let slowest = 0;
let done = 0;
for (; done < Number(count) && Date.now() - began < Number(seconds) * 1000; done++) {
  const bytes = mutatePicture(pictures[Math.floor(random() * pictures.length)], random);
  const started = process.cpuUsage();
  let code: string;
  try {
    code = await readPicture(bytes, random);
  } catch (error) {
    code = `untyped: ${String(error)}`;
    console.error(error);
  }
  const { user, system } = process.cpuUsage(started);
  const took = (user + system) / 1000;
  slowest = Math.max(slowest, took);
  codes.set(code, (codes.get(code) ?? 0) + 1);
  const held = process.resourceUsage().maxRSS * 1024;
  if (!allowedImageCodes.has(code) || took > imagePatience || held > most) {
    writeFileSync('out/fuzz-failure.picture', bytes);
    console.error(`Input ${done} of seed ${seed}: ${code}, ${took.toFixed(0)} ms, ${(held / 1e6).toFixed(0)} MB; kept as out/fuzz-failure.picture`);
    process.exit(1);
  }
}
console.log(`${done} pictures in ${((Date.now() - began) / 1000).toFixed(0)} s, the slowest ${slowest.toFixed(0)} ms, ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most: ${[...codes].map(([code, times]) => `${code === '' ? 'decoded' : code} ${times}`).join(', ')}`);
