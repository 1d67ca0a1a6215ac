import { linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { createRequire } from 'node:module';
import { linkNativeLibraries } from '../../scripts/lib/nativeRuntime.mjs';

/** What is used of scripts/build.mjs. */
interface BuildScript {
  bundles(): Readonly<Record<Exclude<Program, 'smallEngine'>, BuildOptions>>;
}

/** The programs that a test may start: the engine with its guard, the command line, the native runtime, and a small one in the engine's place. */
export type Program = 'engineNode' | 'guard' | 'cli' | 'commands' | 'native' | 'smallEngine';

/** Builds programs from the sources as they are, apart from dist/, which other tests use meanwhile; resolves to their folder. */
export async function buildPrograms(programs: readonly Program[]): Promise<string> {
  const { bundles } = (await import(resolve('scripts/build.mjs'))) as BuildScript;
  mkdirSync('out', { recursive: true });
  const folder = mkdtempSync(resolve('out/programs-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const all = bundles();
  await Promise.all(
    programs.map((name) => {
      const { outfile = '', ...options } =
        name === 'smallEngine'
          ? { ...all.engineNode, entryPoints: ['test/harness/smallEngine.ts'], outfile: 'dist/smallEngine.cjs' }
          : all[name];
      return build({ ...options, sourcemap: false, outfile: join(folder, outfile.replace(/^dist\//, '')) });
    }),
  );
  if (!programs.some((name) => name === 'engineNode' || name === 'cli')) return folder;
  const runtime = dirname(createRequire(resolve('package.json')).resolve('onnxruntime-web'));
  for (const name of ['ort-wasm-simd-threaded.wasm', 'ort-wasm-simd-threaded.mjs'])
    linkSync(join(runtime, name), join(folder, name));
  if (programs.includes('native')) linkNativeLibraries(process.platform, process.arch, join(folder, 'native'));
  return folder;
}
