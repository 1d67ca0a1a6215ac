#!/usr/bin/env bash
# The first codec of jSquash that starts in a Node process is never freed, with all of its WebAssembly memory; later ones are.
#
# Version: @jsquash/jpeg 1.6.0 and @jsquash/webp 1.5.0 (codec/dec), Node 20.
# Source: the packages' codec/dec/*.js, which define ImageData for hosts that have none.
# One would guess: a codec that nobody refers to any more is collected with its 16 MB of memory, as several started one after the other are.
# What happens: the loader defines globalThis.ImageData as a class inside its own function, so that the class's scope holds the first codec's
#   memory for as long as the process lives, of whichever of the packages it was. Where ImageData is there before, nothing stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund @jsquash/jpeg@1.6.0 @jsquash/webp@1.5.0
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import jpeg from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import webp from '@jsquash/webp/codec/dec/webp_dec.js';

const codecs = {
  jpeg: [jpeg, 'node_modules/@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'],
  webp: [webp, 'node_modules/@jsquash/webp/codec/dec/webp_dec.wasm'],
};
const [isGiven, ...names] = process.argv.slice(2);
if (isGiven === 'given') globalThis.ImageData = class {};
const held = async () => {
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().external;
};
const modules = {};
for (const name of names) modules[name] ??= await WebAssembly.compile(readFileSync(codecs[name][1]));
const before = await held();
for (const name of names)
  await codecs[name][0]({
    noInitialRun: true,
    instantiateWasm: (imports, done) => {
      const instance = new WebAssembly.Instance(modules[name], imports);
      done(instance);
      return instance.exports;
    },
  });
console.log(`ImageData ${isGiven}, started ${names.join(', ')}: ${Math.round(((await held()) - before) / 2 ** 24)} × 16 MiB stay`);
JS
for order in 'missing jpeg' 'missing webp' 'missing webp jpeg webp jpeg' 'given jpeg webp'; do
  # shellcheck disable=SC2086
  node --expose-gc run.mjs $order
done | tee output
diff output - <<'OUT'
ImageData missing, started jpeg: 1 × 16 MiB stay
ImageData missing, started webp: 1 × 16 MiB stay
ImageData missing, started webp, jpeg, webp, jpeg: 1 × 16 MiB stay
ImageData given, started jpeg, webp: 0 × 16 MiB stay
OUT
# Output seen:
# ImageData missing, started jpeg: 1 × 16 MiB stay
# ImageData missing, started webp: 1 × 16 MiB stay
# ImageData missing, started webp, jpeg, webp, jpeg: 1 × 16 MiB stay
# ImageData given, started jpeg, webp: 0 × 16 MiB stay
