#!/usr/bin/env node
// Bundles everything that ships into dist/: the two extension entries, the two engine entries, the webview and the command line.
//   node scripts/build.mjs [--production]
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { bundledPackagesFile, packagesIn } from './lib/billOfMaterials.mjs';
import { linkNativeLibraries } from './lib/nativeRuntime.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

// A CommonJS bundle has no import.meta.url, which the runtime's Node build asks for to find its .wasm beside the bundle.
const nodeUrl = {
  define: { 'import.meta.url': '__bundleUrl' },
  banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

// The native runtime looks for its library beside its own files: in the bundle that is the folder of the bundle.
const besideBundle = {
  name: 'beside-bundle',
  setup({ onLoad }) {
    onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replace('require(`../bin/', "require('node:module').createRequire(__filename)(`./bin/");
      if (contents === source)
        throw new Error('onnxruntime-node loads its library in another way than before: see scripts/build.mjs');
      return { contents, loader: 'js' };
    });
  },
};

const webview = join(root, 'webview');

// The views' script stands beside the page's, and takes from it what webview/shared.ts lists: a second copy of a module would have a state of its own.
const fromPage = {
  name: 'from-page',
  async setup({ onResolve, onLoad }) {
    const shared = await readFile(join(webview, 'shared.ts'), 'utf8');
    const names = [...shared.matchAll(/^import \* as \w+ from '([^']+)';$/gm)].map(([, name]) => name);
    const byPath = new Map(names.map((name) => [name.startsWith('.') ? join(webview, name) : name, name]));
    onResolve({ filter: /./ }, ({ path, resolveDir, kind }) => {
      if (kind === 'entry-point') return undefined;
      const name = byPath.get(path.startsWith('.') ? join(resolveDir, path) : path);
      return name === undefined ? undefined : { path: name, namespace: 'page' };
    });
    onLoad({ filter: /./, namespace: 'page' }, ({ path }) => ({
      contents: `module.exports = globalThis.pageModules[${JSON.stringify(path)}];`,
    }));
  },
};

// Of these colours the panel takes three maps; the others are made as the file is read, each by a call of which a bundler cannot know that it does nothing else.
const fewColourMaps = {
  name: 'few-colour-maps',
  setup({ onLoad }) {
    onLoad({ filter: /d3-scale-chromatic\.mjs$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source
        .replaceAll(
          /^var (\S+) = (new Array\(3\)\.concat\([^;]*\)\.map\(colors\));$/gm,
          'var $1 = /* @__PURE__ */ (() => $2)();',
        )
        .replaceAll(
          /(?<==.*)\b((?:colors|ramp|rgb|cubehelix|interpolateCubehelixLong)(?:\$1)?)\((?=.*\)[;,]$)/gm,
          '/* @__PURE__ */ $1(',
        );
      return { contents, loader: 'js' };
    });
  },
};

/** The bundles by name, as esbuild options. */
export function bundles({ production = false } = {}) {
  const common = {
    absWorkingDir: root,
    bundle: true,
    minify: production,
    sourcemap: production ? false : 'linked',
    target: 'es2022',
    logLevel: 'warning',
    legalComments: 'none',
    metafile: true,
    loader: { '.wasm': 'binary' },
  };
  const node = { ...common, platform: 'node', target: 'node20', format: 'cjs' };
  const browser = { ...common, platform: 'browser', conditions: ['browser'] };
  return {
    // jsonc-parser's main file is a UMD module, whose parts a bundler does not find.
    extensionNode: {
      ...node,
      mainFields: ['module', 'main'],
      entryPoints: ['src/extension.node.ts'],
      outfile: 'dist/extension.node.cjs',
      external: ['vscode'],
    },
    extensionBrowser: {
      ...browser,
      format: 'cjs',
      entryPoints: ['src/extension.browser.ts'],
      outfile: 'dist/extension.browser.js',
      external: ['vscode'],
      define: { global: 'globalThis' },
    },
    engineNode: { ...node, ...nodeUrl, entryPoints: ['src/engine/main.node.ts'], outfile: 'dist/engine.node.cjs' },
    // What goes to the hub; read when someone first does.
    hub: { ...node, entryPoints: ['src/hub/hubPackage.node.ts'], outfile: 'dist/hub.cjs' },
    guard: { ...node, entryPoints: ['src/engine/serve/guardThread.node.ts'], outfile: 'dist/guard.cjs' },
    engineBrowser: {
      ...browser,
      format: 'iife',
      entryPoints: ['src/engine/main.browser.ts'],
      outfile: 'dist/engine.browser.js',
      define: { 'import.meta.url': 'self.location.href' },
    },
    webgpu: {
      ...browser,
      format: 'esm',
      entryPoints: ['node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs'],
      outfile: 'dist/ort-webgpu.mjs',
    },
    webview: {
      ...browser,
      format: 'iife',
      entryPoints: ['webview/main.tsx'],
      outfile: 'dist/webview.js',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.ttf': 'file' },
      plugins: [fewColourMaps],
    },
    views: {
      ...browser,
      format: 'iife',
      entryPoints: ['webview/views.ts'],
      outfile: 'dist/views.js',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      plugins: [fromPage, fewColourMaps],
    },
    notebook: { ...browser, format: 'esm', entryPoints: ['src/notebook/renderer.ts'], outfile: 'dist/notebook.js' },
    elements: { ...browser, format: 'iife', entryPoints: ['webview/elements.ts'], outfile: 'dist/elements.js' },
    page: {
      ...browser,
      minify: true,
      format: 'iife',
      entryPoints: ['webview/page/page.ts'],
      outfile: 'dist/page.js',
      sourcemap: false,
    },
    native: {
      ...node,
      plugins: [besideBundle],
      entryPoints: ['node_modules/onnxruntime-node/dist/index.js'],
      outfile: 'dist/native/ort.cjs',
    },
    cli: {
      ...node,
      define: nodeUrl.define,
      banner: { js: `#!/usr/bin/env node\n${nodeUrl.banner.js}` },
      entryPoints: ['src/cli/main.ts'],
      outfile: 'dist/cli.cjs',
    },
    commands: { ...node, ...nodeUrl, entryPoints: ['src/cli/commands.ts'], outfile: 'dist/commands.cjs' },
  };
}

/** Builds all bundles, or those named, and copies what they load at run time. Returns esbuild's metafiles by bundle. */
export async function build({ production = false, only = undefined } = {}) {
  const all = bundles({ production });
  const chosen = Object.entries(all).filter(([name]) => only === undefined || only.includes(name));
  if (only === undefined) await rm(join(root, 'dist'), { recursive: true, force: true });
  await mkdir(join(root, 'dist'), { recursive: true });
  const results = await Promise.all(
    chosen.map(async ([name, options]) => [name, (await esbuild.build(options)).metafile]),
  );
  const runtime = dirname(require.resolve('onnxruntime-web'));
  for (const file of [
    'ort-wasm-simd-threaded.wasm',
    'ort-wasm-simd-threaded.mjs',
    'ort-wasm-simd-threaded.asyncify.wasm',
  ])
    await copyFile(join(runtime, file), join(root, 'dist', file));
  // The parser of programs and its grammars, each read when it is first wanted. What has no relations between tokens, or no language of its own, stays out.
  const parser = join(root, 'node_modules/web-tree-sitter');
  await copyFile(join(parser, 'web-tree-sitter.js'), join(root, 'dist/web-tree-sitter.mjs'));
  await copyFile(join(parser, 'web-tree-sitter.wasm'), join(root, 'dist/web-tree-sitter.wasm'));
  const grammars = join(root, 'node_modules/@vscode/tree-sitter-wasm/wasm');
  for (const file of await readdir(grammars))
    if (/^tree-sitter-(?!ini|regex)[\w-]+\.wasm$/.test(file))
      await copyFile(join(grammars, file), join(root, 'dist', file));
  const codicons = join(root, 'node_modules/@vscode/codicons/dist');
  for (const file of ['codicon.css', 'codicon.ttf']) await copyFile(join(codicons, file), join(root, 'dist', file));
  if (only === undefined || only.includes('native'))
    linkNativeLibraries(process.platform, process.arch, join(root, 'dist/native'));
  if (only === undefined || only.includes('cli')) await chmod(join(root, 'dist/cli.cjs'), 0o755);
  if (only === undefined)
    await writeFile(
      join(root, bundledPackagesFile),
      JSON.stringify(packagesIn(results.flatMap(([name, metafile]) => (name === 'native' ? [] : [metafile])))),
    );
  return Object.fromEntries(results);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const production = process.argv.includes('--production');
  const only = process.argv
    .find((argument) => argument.startsWith('--only='))
    ?.slice('--only='.length)
    .split(',');
  const started = Date.now();
  await build({ production, only });
  console.log(`Built dist/ in ${((Date.now() - started) / 1000).toFixed(1)} s${production ? ' for production' : ''}.`);
}
