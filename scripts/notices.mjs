#!/usr/bin/env node
// Writes ThirdPartyNotices.txt: the licences of every package that ships, from the installed packages themselves.
//   node scripts/notices.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { getLicenseFileText } from 'generate-license-file';

const file = 'ThirdPartyNotices.txt';
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** Whose the grammars are: the package that builds them carries its own licence alone. */
const grammars = [
  ['bash', '2017 Max Brunsfeld'],
  ['c-sharp', '2014-2023 Max Brunsfeld, Damien Guard, Amaan Qureshi, and contributors'],
  ['cpp', '2014 Max Brunsfeld'],
  ['css', '2018 Max Brunsfeld'],
  ['go', '2014 Max Brunsfeld'],
  ['java', '2017 Ayman Nadeem'],
  ['javascript', '2014 Max Brunsfeld'],
  ['php', '2017 Josh Vera, GitHub; 2019 Max Brunsfeld, Amaan Qureshi, Christian Frøystad, Caleb White'],
  ['powershell', '2023 Airbus CERT'],
  ['python', '2016 Max Brunsfeld'],
  ['ruby', '2016 Rob Rix'],
  ['rust', '2017 Maxim Sokolov'],
  ['typescript', '2017 Max Brunsfeld'],
];
const text = `Attention Explorer is built on the following packages.\n\n${await getLicenseFileText('./package.json', {
  replace: { '@vscode/codicons': './node_modules/@vscode/codicons/LICENSE' },
})}
The grammars of @vscode/tree-sitter-wasm are made of these projects, each under the MIT License, as above:
${grammars.map(([name, holder]) => `  tree-sitter-${name}: Copyright (c) ${holder}`).join('\n')}

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
