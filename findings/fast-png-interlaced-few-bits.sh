#!/usr/bin/env bash
# fast-png reads no interlaced PNG of less than eight bits a sample.
#
# Version: fast-png 8.0.0 beside pngjs 7.0.0.
# Source: PNG (third edition) §8.1 allows interlacing at every bit depth; rows of a reduced image are packed and padded to whole bytes.
#   fast-png's decodeInterlaceAdam7.ts takes a pixel's bytes as depth / 8 · channels, which is a fraction below eight bits.
# One would guess: as it reads interlaced pictures and pictures of one, two and four bits, it reads pictures that are both.
# What happens: the same picture is read plain and refused interlaced; another decoder reads both and gives the same pixels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts fast-png@8.0.0 pngjs@7.0.0 2>/dev/null
cat > check.mjs <<'JS'
import { deflateSync } from 'node:zlib';
import { createRequire } from 'node:module';
import { decode } from 'fast-png';
const { PNG } = createRequire(import.meta.url)('pngjs');

const size = 8;
const isBlack = (x, y) => (x * 3 + y * 5) % 7 < 3;

function table() {
  return Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c >>> 0; });
}
const crcTable = table();
const crc = (bytes) => (bytes.reduce((c, byte) => crcTable[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

function chunk(type, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** Rows of some of the picture's pixels, one bit each, a filter byte before each row. */
function rows(x0, y0, dx, dy) {
  const bytes = [];
  for (let y = y0; y < size; y += dy) {
    const bits = [];
    for (let x = x0; x < size; x += dx) bits.push(isBlack(x, y) ? 0 : 1);
    if (bits.length === 0) continue;
    bytes.push(0);
    for (let i = 0; i < bits.length; i += 8) bytes.push(bits.slice(i, i + 8).reduce((byte, bit, k) => byte | (bit << (7 - k)), 0));
  }
  return bytes;
}

function picture(isInterlaced) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = 1; // bits a sample
  header[12] = isInterlaced ? 1 : 0;
  const passes = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
  const data = isInterlaced ? passes.flatMap((pass) => rows(...pass)) : rows(0, 0, 1, 1);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.from(data))), chunk('IEND', Buffer.alloc(0))]);
}

const wanted = Array.from({ length: size * size }, (_, i) => (isBlack(i % size, Math.floor(i / size)) ? 0 : 255)).join();
const byPngjs = (file) => { const { data } = PNG.sync.read(file); return Array.from({ length: size * size }, (_, i) => data[i * 4]).join() === wanted; };
const byFastPng = (file) => { try { const { data } = decode(file); return `${data.length} bytes`; } catch (error) { return `refused: ${error.constructor.name}`; } };
for (const isInterlaced of [false, true]) {
  const file = picture(isInterlaced);
  console.log(`${isInterlaced ? 'interlaced' : 'plain'}: pngjs reads the right pixels: ${byPngjs(file)}; fast-png: ${byFastPng(file)}`);
}
JS
node check.mjs | tee output
grep -q '^plain: pngjs reads the right pixels: true; fast-png: 8 bytes$' output
grep -q '^interlaced: pngjs reads the right pixels: true; fast-png: refused' output
# Output seen:
# plain: pngjs reads the right pixels: true; fast-png: 8 bytes
# interlaced: pngjs reads the right pixels: true; fast-png: refused: Error
