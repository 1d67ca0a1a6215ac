#!/usr/bin/env node
// Collects every string that a person can read into l10n/bundle.l10n.json: the calls of said in src/host and of l10n.t in webview and src/notebook, and
// the tables of errors, notices, metrics, methods, steps of a weight and bundled models.
//   node scripts/l10n.mjs [--check]     --check fails where the bundle is not up to date
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { getL10nJson } from '@vscode/l10n-dev';
import { build } from 'esbuild';
import { globSync } from 'glob';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'l10n', 'bundle.l10n.json');

/** The values of the tables whose sentences are chosen at run time. */
async function tables() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: {
      contents:
        "export { errorSentences } from './src/base/errors'; export { noticeSentences } from './src/model/modelInfo'; export { stageSentences } from './src/model/stage'; export { metrics } from './src/model/metrics/metrics'; export { howTexts } from './src/model/how/how'; export { methods } from './src/model/methods'; export { relationSentences, relationTitles } from './src/model/relations/relation';",
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
  const models = Object.values(JSON.parse(readFileSync(join(root, 'media', 'models', 'models.json'), 'utf8')));
  return [
    ...Object.values(module.errorSentences),
    ...Object.values(module.noticeSentences),
    ...Object.values(module.stageSentences),
    ...module.metrics.flatMap(({ title, definition }) => [title, definition]),
    ...Object.values(module.howTexts).flatMap(({ title, sentence }) => [title, sentence]),
    ...module.methods.flatMap(({ title, shortTitle, meaning }) => [title, shortTitle, meaning]),
    ...Object.values(module.relationTitles),
    ...Object.values(module.relationSentences),
    ...models.flatMap(({ title, description }) => [title, description]),
  ];
}

/** A source whose calls of said and saidMarkdown (src/host/say/said.ts) are those of vscode.l10n.t, which is what is looked for. */
function withCalls(source) {
  const calls = source.replaceAll(/(?<!function )\b(?:said|saidMarkdown)\(/g, 'vscode.l10n.t(');
  return calls === source || /^import \* as vscode from 'vscode';$/m.test(calls)
    ? calls
    : `import * as vscode from 'vscode';\n${calls}`;
}

/** The bundle as it should be: each English string by itself, sorted. */
export async function makeBundle() {
  const files = globSync(['src/host/**/*.ts', 'src/notebook/**/*.ts', 'webview/**/*.{ts,tsx}'], {
    cwd: root,
    posix: true,
  }).sort();
  const found = await getL10nJson(
    files.map((file) => ({
      extension: file.endsWith('x') ? '.tsx' : '.ts',
      contents: withCalls(readFileSync(join(root, file), 'utf8')),
    })),
  );
  const sentences = Object.fromEntries((await tables()).map((sentence) => [sentence, sentence]));
  const all = { ...found, ...sentences };
  return `${JSON.stringify(
    Object.fromEntries(
      Object.keys(all)
        .sort()
        .map((key) => [key, all[key]]),
    ),
    null,
    2,
  )}\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const bundle = await makeBundle();
  if (process.argv.includes('--check')) {
    let present = '';
    try {
      present = readFileSync(target, 'utf8');
    } catch {
      // It is not there yet: then it differs.
    }
    if (present !== bundle) {
      console.error('l10n/bundle.l10n.json is not up to date: run node scripts/l10n.mjs.');
      process.exit(1);
    }
  } else {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bundle);
    console.log(`${Object.keys(JSON.parse(bundle)).length} strings in l10n/bundle.l10n.json.`);
  }
}
