#!/usr/bin/env node
// Writes ThirdPartyNotices.txt: the licences of every package that ships, from the installed packages themselves.
//   node scripts/notices.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { getLicenseFileText } from 'generate-license-file';

const file = 'ThirdPartyNotices.txt';
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const text = `Attention Explorer is built on the following packages.\n\n${await getLicenseFileText('./package.json', {
  replace: { '@vscode/codicons': './node_modules/@vscode/codicons/LICENSE' },
})}
Packages for one platform also carry onnxruntime-node ${manifest.devDependencies['onnxruntime-node']}, under the licence of onnxruntime-web.
`.replaceAll('\r\n', '\n');
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8').replaceAll('\r\n', '\n') !== text) {
    console.error(`${file} is out of date: run "node scripts/notices.mjs".`);
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
  console.log(`${file}: ${text.length} characters.`);
}
