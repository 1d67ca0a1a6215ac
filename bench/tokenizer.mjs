#!/usr/bin/env node
// Tokens a second of this project's tokenizer and of the reference library (Rust), in one run, so that their ratio counts:
//   node bench/tokenizer.mjs TOKENIZER_JSON TEXT_FILE [repeats]
// «first» is the first encoding by a fresh tokenizer, «again» the fastest of the later ones (words are remembered).
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { Tokenizer as Reference } from 'tokenizers';

const [tokenizerPath, textPath, repeats = '5'] = process.argv.slice(2);
if (!textPath) {
  console.error('Usage: node bench/tokenizer.mjs TOKENIZER_JSON TEXT_FILE [repeats]');
  process.exit(2);
}
const outfile = new URL('../out/bench/tokenizer.mjs', import.meta.url).pathname;
await build({ entryPoints: ['src/tokenizer/tokenizer.ts'], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'warning' });
const { Tokenizer } = await import(outfile);

const json = readFileSync(tokenizerPath, 'utf8');
const text = readFileSync(textPath, 'utf8');
const encoders = {
  'this project': () => {
    const tokenizer = Tokenizer.fromJson(json, tokenizerPath);
    return async () => tokenizer.encode(text).ids;
  },
  reference: () => {
    const tokenizer = Reference.fromString(json);
    return async () => {
      const encoding = await tokenizer.encode(text);
      encoding.getOffsets();
      return encoding.getIds();
    };
  },
};

const rows = {};
for (const [name, load] of Object.entries(encoders)) rows[name] = { times: [], loadMs: 0, tokens: 0, load };
for (const row of Object.values(rows)) {
  const start = performance.now();
  row.encode = row.load();
  row.loadMs = performance.now() - start;
}
for (let i = 0; i <= Number(repeats); i++) {
  for (const row of Object.values(rows)) {
    const start = performance.now();
    row.tokens = (await row.encode()).length;
    row.times.push(performance.now() - start);
  }
}
const rate = (tokens, ms) => Math.round((tokens / ms) * 1000);
console.log(`${tokenizerPath}, ${textPath}: ${text.length} UTF-16 units`);
console.table(
  Object.fromEntries(
    Object.entries(rows).map(([name, { times, tokens, loadMs }]) => {
      const again = Math.min(...times.slice(1));
      return [name, { tokens, 'load ms': Math.round(loadMs), 'first ms': Math.round(times[0]), 'first tok/s': rate(tokens, times[0]), 'again ms': Math.round(again), 'again tok/s': rate(tokens, again) }];
    }),
  ),
);
const [ours, theirs] = Object.values(rows);
console.log(`time, this project to reference: first ${(ours.times[0] / theirs.times[0]).toFixed(2)}, again ${(Math.min(...ours.times.slice(1)) / Math.min(...theirs.times.slice(1))).toFixed(2)}`);
