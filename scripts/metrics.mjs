#!/usr/bin/env node
// Writes the table of the metrics of heads into README.md, from src/model/metrics.
//   node scripts/metrics.mjs [--check]     --check fails where the table is not up to date
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'README.md');
const [begin, end] = ['<!-- metrics: node scripts/metrics.mjs -->', '<!-- end of metrics -->'];

/** The registry itself. */
async function registry() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents: "export { metrics } from './src/model/metrics/metrics';", resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const { metrics } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  return metrics;
}

const units = {
  share: 'share',
  nats: 'nats',
  tokens: 'tokens',
  squaredTokens: 'tokens²',
  position: 'token',
  ratio: 'times',
};

const rowOf = ({ id, title, definition, formula, unit, causalUnit, source, leastRows }) => {
  const of = causalUnit === undefined ? units[unit] : `${units[causalUnit]} (causal), ${units[unit]}`;
  const least = leastRows > 1 ? ` «–» with fewer than ${leastRows} rows behind it.` : '';
  return `| ${title} (\`${id}\`) | ${definition}${least} | ${formula.replaceAll('|', '\\|')} | ${of} | ${source} |`;
};

/** README.md with the table as it should be. */
export async function withTable(readme) {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} … ${end}.`);
  const table = [
    '| Metric | What it is | A: weights, i: query, j and k: keys, x: ids | In | As in |',
    '|---|---|---|---|---|',
    ...(await registry()).map(rowOf),
  ];
  return `${readme.slice(0, from)}${begin}\n${table.join('\n')}\n${readme.slice(to)}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const present = readFileSync(target, 'utf8');
  const wanted = await withTable(present);
  if (!process.argv.includes('--check')) writeFileSync(target, wanted);
  else if (present !== wanted) {
    console.error('The metrics in README.md are not up to date: run node scripts/metrics.mjs.');
    process.exit(1);
  }
}
