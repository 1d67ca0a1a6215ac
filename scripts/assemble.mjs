#!/usr/bin/env node
// Compiles assembly/NAME.ts, which is AssemblyScript, to the WebAssembly that bundles take: three kilobytes, which are checked in, so that nothing else needs the compiler.
//   node scripts/assemble.mjs
// `test/package/assembled.test.ts` looks whether it is what the source gives.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { root } from './lib/paths.mjs';

/** Where the binary of each source goes. */
export const assembled = { weights: 'src/engine/runtime/weights.wasm' };

/** The binary of a source. Throws what the compiler says. */
export async function assemble(name) {
  let binary;
  const { error, stderr } = await asc.main(
    [`assembly/${name}.ts`, '--outFile', 'out.wasm', '-O3', '--runtime', 'stub', '--enable', 'simd', '--baseDir', root],
    {
      writeFile: (file, contents) => {
        if (file === 'out.wasm') binary = contents;
      },
    },
  );
  if (error !== null || binary === undefined) throw new Error(`${name}: ${error?.message ?? ''}\n${stderr.toString()}`);
  return binary;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, file] of Object.entries(assembled)) writeFileSync(join(root, file), await assemble(name));
