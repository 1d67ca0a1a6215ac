#!/usr/bin/env node
// Prints what the product makes of the templates of test/fixtures/chatTemplates.json beside what transformers made of them:
//   node scripts/reference/chatTemplates.mjs
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';

const { outputFiles } = await build({
  entryPoints: ['test/harness/chatTemplates.ts'],
  bundle: true,
  format: 'esm',
  write: false,
  logLevel: 'error',
});
const { compareChatTemplates } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
const fixture = JSON.parse(readFileSync('test/fixtures/chatTemplates.json', 'utf8'));
const kinds = {};
for (const { kind, outcome } of compareChatTemplates(fixture))
  (kinds[kind] ??= { equal: 0, told: 0, wrong: 0 })[outcome]++;
console.log(`transformers ${fixture.transformers}, Jinja ${fixture.jinja2}`);
console.table(kinds);
if (Object.values(kinds).some(({ wrong }) => wrong > 0)) process.exitCode = 1;
