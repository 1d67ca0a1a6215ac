#!/usr/bin/env node
// Runs the command line's `extract` and `inspect` many times in one process, since starting it takes longer than most tiny models:
//   node scripts/sweep/commands.mjs --bundle FILE     puts both into one file
//   node scripts/sweep/commands.mjs FILE              runs them: a request a line on the standard input ({ command, options }), an answer
//                                                     a line on the standard output ({ output } or { code, sentence, stack })
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { wasmInside } from '../lib/bundleTests.mjs';
import { root } from '../lib/paths.mjs';

const exported = {
  extract: 'cli/extract',
  inspect: 'cli/inspect',
  commandSentence: 'cli/commandSentence',
  ExplorerError: 'base/errors',
};

async function bundle(outfile) {
  const { build } = await import('esbuild');
  const contents = Object.entries(exported)
    .map(([name, file]) => `export { ${name} } from './src/${file}';`)
    .join('\n');
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    outfile,
    bundle: true,
    sourcemap: 'inline',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    plugins: [wasmInside],
    logLevel: 'error',
  });
}

async function serve(file) {
  const { extract, inspect, commandSentence, ExplorerError } = await import(pathToFileURL(file).href);
  const answer = async ({ command, options }) => {
    try {
      return { output: String(await (command === 'extract' ? extract : inspect)(options)) };
    } catch (error) {
      const failure = ExplorerError.from(error);
      return { code: failure.code, sentence: String(commandSentence(failure)), stack: failure.details };
    }
  };
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await answer(JSON.parse(line))));
}

const [first, second] = process.argv.slice(2);
await (first === '--bundle' ? bundle(resolve(second)) : serve(resolve(first)));
