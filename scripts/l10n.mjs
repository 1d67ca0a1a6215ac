#!/usr/bin/env node
// Collects every string that a person can read into l10n/bundle.l10n.json: the calls of said in src/host and of l10n.t in webview and src/notebook, and
// the tables of errors, clauses in them, notices, metrics, methods, steps of a weight and bundled models.
//   node scripts/l10n.mjs [--check]     --check fails where the bundle is not up to date; both fail where a string has no
//   translation in l10n/bundle.l10n.zh-cn.json or package.nls.zh-cn.json
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
        "export { errorSentences } from './src/base/errors'; export { clauses } from './src/base/clauses'; export { noticeSentences } from './src/model/modelInfo'; export { stageSentences } from './src/model/stage'; export { metrics } from './src/model/metrics/metrics'; export { howTexts } from './src/model/how/how'; export { methods, surprisalMethod } from './src/model/methods'; export { relationSentences, relationTitles } from './src/model/relations/relation'; export { pageSentences } from './src/model/figures/pageWords';",
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
    ...module.clauses,
    ...Object.values(module.noticeSentences),
    ...Object.values(module.stageSentences),
    ...module.metrics.flatMap(({ title, definition }) => [title, definition]),
    ...Object.values(module.howTexts).flatMap(({ title, sentence }) => [title, sentence]),
    ...[...module.methods, module.surprisalMethod].flatMap(({ title, shortTitle, meaning }) => [
      title,
      shortTitle,
      meaning,
    ]),
    ...Object.values(module.pageSentences),
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

/** The English words beside their 简体中文: what VS Code reads for the window and the panel, and for commands and settings. */
const translations = [
  { english: 'l10n/bundle.l10n.json', chinese: 'l10n/bundle.l10n.zh-cn.json' },
  { english: 'package.nls.json', chinese: 'package.nls.zh-cn.json' },
];

/** What a translation has to keep: places for arguments, what a click does, and what is typed as it stands. */
const kept = [/\{\d+\}/g, /\]\([^)]*\)/g, /`[^`]*`/g];
const partsOf = (text) => kept.flatMap((part) => text.match(part) ?? []).sort();

/** What is wrong with a translation, a line each: strings that it lacks, strings that nothing says any more, and strings that lost a part. */
export function translationFaults(english, chinese) {
  const lost = Object.keys(english).filter(
    (key) => key in chinese && partsOf(english[key]).join() !== partsOf(chinese[key]).join(),
  );
  return [
    ...Object.keys(english)
      .filter((key) => !chinese[key])
      .map((key) => `lacks ${JSON.stringify(key)}`),
    ...Object.keys(chinese)
      .filter((key) => !(key in english))
      .map((key) => `translates ${JSON.stringify(key)}, which nothing says`),
    ...lost.map((key) => `has other arguments, links or code in ${JSON.stringify(key)}`),
  ];
}

function readTable(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** Fails where a string has no translation. */
function checkTranslations() {
  const faults = translations.flatMap(({ english, chinese }) =>
    translationFaults(readTable(english), readTable(chinese)).map((fault) => `${chinese} ${fault}`),
  );
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exit(1);
}

/** Puts the strings of a translation into the order of the English ones, and takes out what nothing says any more. */
function tidyTranslation({ english, chinese }) {
  const words = readTable(chinese);
  const tidy = Object.fromEntries(
    Object.keys(readTable(english))
      .filter((key) => key in words)
      .map((key) => [key, words[key]]),
  );
  writeFileSync(join(root, chinese), `${JSON.stringify(tidy, null, 2)}\n`);
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
    translations.forEach(tidyTranslation);
  }
  checkTranslations();
}
