#!/usr/bin/env node
// Makes the profiles that ship with the bundled models, over the sample texts, by the command line's `profile`:
//   npm run build && node scripts/profiles.mjs [--out FOLDER]
// `test/package/bundledProfiles.test.ts` looks whether they are what the shipped models give.
import './lib/noTelemetry.mjs';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib/paths.mjs';

/** The files of a profile that the editor reads. */
const files = ['profile.json', 'heads.parquet', 'relations.parquet', 'examples.parquet', 'files.parquet'];
const code = ['media/sample/fibonacci.py', 'media/sample/tokenizer.ts', 'media/sample/README.md'];
/** The texts of each model, and the most tokens of a chunk: short ones, so that some stand behind each number. */
export const bundledProfiles = {
  'code-decoder': { texts: code, length: 128 },
  'code-encoder': { texts: code, length: 128 },
  'worked-example': { texts: [], length: 128 },
  'thinking-machines': { texts: [], length: 128 },
};

/** Makes them in a folder, each in one of its own. */
export function makeProfiles(out) {
  const samples = JSON.parse(readFileSync(join(root, 'media/models/models.json'), 'utf8'));
  const made = mkdtempSync(join(tmpdir(), 'ae-profiles-'));
  try {
    for (const [name, { texts, length }] of Object.entries(bundledProfiles)) {
      const list = join(made, `${name}.jsonl`);
      // Models of a few words read what they were made for.
      const own =
        texts.length > 0
          ? texts.map((file) => ({ name: file, text: readFileSync(join(root, file), 'utf8') }))
          : [{ name: `${name}/sample.txt`, text: samples[name].sample.lines.join('\n') }];
      writeFileSync(list, own.map((text) => `${JSON.stringify(text)}\n`).join(''));
      const args = ['--model', `bundled:${name}`, '--jsonl', list, '--length', String(length)];
      const { status, stderr } = spawnSync(
        process.execPath,
        [join(root, 'dist/cli.cjs'), 'profile', ...args, '--backend', 'wasm', '--out', join(made, name)],
        { cwd: root, encoding: 'utf8' },
      );
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      mkdirSync(join(out, name), { recursive: true });
      for (const file of files) copyFileSync(join(made, name, file), join(out, name, file));
    }
  } finally {
    rmSync(made, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--out');
  makeProfiles(at < 0 ? join(root, 'media/profiles') : process.argv[at + 1]);
}
