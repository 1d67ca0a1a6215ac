#!/usr/bin/env node
// Compares this program's tokenizers with what scripts/fixtures/tokenizer_classes.py wrote, and prints a table: kinds × (equal, told, wrong):
//   node scripts/compareTokenizers.mjs [FILE] [--wrong] [--only=TEXT]
// «told» are folders that are read with a notice, or refused; it ends with 1 where anything is wrong.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';

const args = process.argv.slice(2);
const file = args.find((arg) => !arg.startsWith('--')) ?? 'test/fixtures/tokenizers/cases.jsonl.gz';
const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length) ?? '';
const outfile = new URL('../out/reference/compareTokenizers.mjs', import.meta.url).pathname;
await build({
  entryPoints: ['test/unit/tokenizer/compareFolder.ts'],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  logLevel: 'warning',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
const { readCases, compareFolder } = await import(outfile);

const cases = readCases(gunzipSync(readFileSync(file)).toString('utf8'));
const table = new Map();
const shown = [];
for (const folder of cases.folders) {
  if (!folder.name.includes(only)) continue;
  const { outcome, detail } = await compareFolder(cases, folder);
  const row = table.get(folder.kind) ?? { equal: 0, told: 0, wrong: 0, 'not opened by the reference': 0 };
  if (folder.error !== undefined) row['not opened by the reference']++;
  row[outcome]++;
  table.set(folder.kind, row);
  if (outcome === 'wrong') shown.push(`${folder.name}: ${detail}`);
}
console.table(Object.fromEntries(table));
const sum = (key) => [...table.values()].reduce((total, row) => total + row[key], 0);
console.log(`${JSON.stringify(cases.versions)}: equal ${sum('equal')}, told ${sum('told')}, wrong ${sum('wrong')}`);
if (args.includes('--wrong')) for (const line of shown.slice(0, 60)) console.log(line);
process.exitCode = sum('wrong') > 0 ? 1 : 0;
