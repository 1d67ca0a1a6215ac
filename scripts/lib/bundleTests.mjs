// Finds tests by glob and bundles them for the three places they run in: Node, a browser and VS Code's extension host.
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { globSync } from 'glob';
import { root } from './paths.mjs';

/**
 * The test files of some floors, relative to the repository. `*.node.test.ts` run in Node alone and
 * `*.browser.test.ts` in a browser alone; all others run wherever their floor does.
 */
export function findTests(floors, platform) {
  const other = platform === 'node' ? 'browser' : 'node';
  return floors
    .flatMap((floor) => globSync(`test/${floor}/**/*.test.{ts,tsx}`, { cwd: root, posix: true }))
    .filter((file) => !new RegExp(`\\.${other}\\.test\\.tsx?$`).test(file))
    .sort();
}

const common = {
  absWorkingDir: root,
  bundle: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
  logOverride: { 'import-is-undefined': 'error' },
  define: {},
  loader: { '.wasm': 'binary' },
};

function outputFolder(name) {
  const folder = join(root, 'out', 'tests', name);
  rmSync(folder, { recursive: true, force: true });
  return folder;
}

/** Codecs are part of a bundle, here as in the product. */
export const wasmInside = {
  name: 'wasm-inside',
  setup(builder) {
    builder.initialOptions.loader = { '.wasm': 'binary', ...builder.initialOptions.loader };
    builder.onResolve({ filter: /^@.*\.wasm$/ }, ({ path }) => ({ path: join(root, 'node_modules', path) }));
  },
};

/**
 * Bundles test files for Node, packages left outside; resolves to the folder of the bundles, each under its file's name. What several of them
 * import stands in chunks between them, so that it is read, compiled and warmed up once. `alias`: modules to take in the place of others.
 */
export async function bundleForNode(name, files, { alias: others = {} } = {}) {
  const outdir = outputFolder(name);
  // vscode-jsonrpc has one build a runtime, and tests that also run in a browser name the other one.
  const alias = { 'vscode-jsonrpc/browser': 'vscode-jsonrpc/node', ...others };
  await build({
    ...common,
    entryPoints: files,
    // For stacks, which Node translates; where tests are in one large bundle nobody would.
    sourcemap: 'inline',
    sourcesContent: false,
    outdir,
    outbase: 'test',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    splitting: files.length > 1,
    chunkNames: 'chunks/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    packages: 'external',
    alias,
    plugins: [wasmInside],
  });
  return outdir;
}

// All tests in one bundle, mocha first: its import makes `describe` and `it` before a test file asks for them.
function entry(files, end) {
  const imports = ['./test/harness/mochaInside', ...files.map((file) => `./${file}`)].map(
    (file) => `import ${JSON.stringify(file)};`,
  );
  return {
    contents: [...imports, "import { runMocha } from './test/harness/mochaInside';", end].join('\n'),
    resolveDir: root,
    loader: 'ts',
  };
}

const noNode = {
  name: 'no-node',
  setup(builder) {
    builder.onResolve({ filter: /^node:/ }, ({ path, importer, kind }) => {
      if (kind === 'dynamic-import') return { path, external: true };
      return {
        errors: [
          {
            text: `${importer} imports ${path}, which a browser lacks: name the test *.node.test.ts, or read files through test/harness/fixtures.`,
          },
        ],
      };
    });
  },
};

// Mocha's browser build takes the bundle's own `module` for its own, and would replace what the bundle exports.
const mochaAlone = {
  name: 'mocha-alone',
  setup(builder) {
    builder.onLoad({ filter: /mocha[\\/]mocha\.js$/ }, async ({ path }) => ({
      contents: `{ const module = undefined, exports = undefined;\n${await readFile(path, 'utf8')}\n}`,
      loader: 'js',
    }));
  },
};

/** Bundles all files into one module for a page or a worker; resolves to its path. It prints with `console` and reports the counts. */
export async function bundleForBrowser(name, files, { grep = '' } = {}) {
  const outfile = join(outputFolder(name), 'tests.js');
  const end = `
    const counts = await runMocha({ grep: ${JSON.stringify(grep)}, print: (line) => console.log(line) });
    if (typeof document === 'undefined') self.postMessage({ counts });
    else (self as any).counts = counts;`;
  await build({
    ...common,
    stdin: entry(files, end),
    outfile,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    define: { global: 'globalThis' },
    external: ['onnxruntime-node'],
    plugins: [mochaAlone, noNode],
  });
  return outfile;
}

/** What marks a line of the tests' report among all that an extension host prints. */
export const reportMark = '§ ';

/** Bundles all files into one module with a `run` function, as `extensionTestsPath` wants it, for both extension hosts; resolves to its path. `onlySuites`: the titles of the outermost suites to run, if not all. */
export async function bundleForExtensionHost(name, files, { grep = '', onlySuites } = {}) {
  const outfile = join(outputFolder(name), 'index.cjs');
  const end = `
    import { reportToWorkspace } from './test/harness/extensionHost';
    export async function run() { await reportToWorkspace(await runMocha({ grep: ${JSON.stringify(grep)}, onlySuites: ${JSON.stringify(onlySuites)}, print: (line) => console.log(${JSON.stringify(reportMark)} + line) })); }`;
  await build({
    ...common,
    stdin: entry(files, end),
    outfile,
    platform: 'browser',
    target: 'es2022',
    format: 'cjs',
    define: { global: 'globalThis' },
    external: ['vscode'],
    plugins: [mochaAlone, noNode],
  });
  return outfile;
}
