#!/usr/bin/env node
// Feeds mutated pictures to the decoders: node scripts/fuzzImages.mjs [COUNT [SECONDS [SEED]]]; a million by default.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleForNode } from './lib/bundleTests.mjs';

const folder = await bundleForNode('fuzz-images', ['test/engine/fuzzImagesMain.ts']);
const run = spawnSync(process.execPath, ['--max-old-space-size=512', '--enable-source-maps', join(folder, 'engine/fuzzImagesMain.mjs'), ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(run.status ?? 1);
