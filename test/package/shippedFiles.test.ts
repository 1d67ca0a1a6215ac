import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { listZip, readZipEntry } from '../harness/zip';

interface Manifest {
  readonly main: string;
  readonly browser: string;
  readonly icon?: string;
  readonly l10n?: string;
  readonly version: string;
  readonly engines: { readonly vscode: string };
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly icon?: string | { readonly light: string; readonly dark: string };
    }[];
    readonly walkthroughs?: readonly {
      readonly id: string;
      readonly steps: readonly {
        readonly media: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
      }[];
    }[];
  };
}

const root = process.cwd();
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest; // our own manifest

// What may ship. A new kind of file is a decision: it is added here as well as in .vscodeignore.
const allowed = [
  /^package(\.nls(\.zh-cn)?)?\.json$/,
  /^(README(\.zh-CN)?|CHANGELOG|SECURITY)\.md$/,
  /^sbom\.cdx\.json$/,
  /^LICENSE$/,
  /^ThirdPartyNotices\.txt$/,
  /^dist\/(extension\.node|engine\.node|hub|guard|cli|commands)\.cjs$/,
  /^dist\/(extension\.browser|engine\.browser|webview|elements|views|page|notebook)\.js$/,
  /^dist\/(webview|codicon|page)\.css$/,
  /^dist\/codicon\.ttf$/,
  /^dist\/codicon-\w+\.ttf$/,
  /^dist\/ort-[\w.-]+\.(wasm|mjs)$/,
  /^dist\/web-tree-sitter\.(wasm|mjs)$/,
  /^dist\/tree-sitter-[\w-]+\.wasm$/,
  /^l10n\/bundle\.l10n(\.[\w-]+)?\.json$/,
  /^media\/[\w-]+\.(png|svg)$/,
  /^media\/attention-files\.md$/,
  /^media\/course\/\w+(\.nls\.zh-cn)?\.md$/,
  /^media\/walkthrough\/[\w-]+(\.nls\.zh-cn)?\.(md|png|svg)$/,
  /^media\/profiles\/[\w-]+\/(profile\.json|(heads|relations|examples|files)\.parquet)$/,
  /^media\/sample\/[\w.-]+$/,
  /^media\/models\/models\.json$/,
  /^media\/models\/[\w-]+\/(README\.md|LICENSE|[\w.-]+\.json|[\w.-]+\.txt|model\.onnx|model\.onnx\.data|(samples\/)?[\w-]+\.png)$/,
];

// Without these nothing works, in at least one of the two hosts.
const required = [
  'package.json',
  'package.nls.json',
  'package.nls.zh-cn.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'SECURITY.md',
  'ThirdPartyNotices.txt',
  'sbom.cdx.json',
  'dist/extension.node.cjs',
  'dist/extension.browser.js',
  'dist/engine.node.cjs',
  'dist/hub.cjs',
  'dist/guard.cjs',
  'dist/engine.browser.js',
  'dist/webview.js',
  'dist/webview.css',
  'dist/elements.js',
  'dist/views.js',
  'dist/page.js',
  'dist/page.css',
  'dist/notebook.js',
  'dist/ort-wasm-simd-threaded.wasm',
  'dist/ort-wasm-simd-threaded.mjs',
  'dist/ort-wasm-simd-threaded.asyncify.wasm',
  'dist/ort-webgpu.mjs',
  'dist/web-tree-sitter.mjs',
  'dist/web-tree-sitter.wasm',
  'dist/tree-sitter-python.wasm',
];

describe('The files that ship', () => {
  const vsix = process.env['AE_VSIX'] ?? join(root, 'attention-explorer.vsix');
  let files: string[];

  before(() => {
    // vsce writes some names in lower case; what it adds itself stands outside of extension/.
    const names = new Map(
      ['README.md', 'CHANGELOG.md', 'LICENSE.txt'].map((name) => [name.toLowerCase(), name.replace('.txt', '')]),
    );
    files = listZip(readFileSync(vsix))
      .flatMap((name) => (name.startsWith('extension/') ? [name.slice('extension/'.length)] : []))
      .map((name) => names.get(name.toLowerCase()) ?? name);
  });

  it('are only of the kinds on the list', () => {
    expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).to.deep.equal([]);
  });

  it('are all there that the extension needs', () => {
    expect(required.filter((file) => !files.includes(file))).to.deep.equal([]);
  });

  it('include at least one model with its tokenizer', () => {
    expect(files.some((file) => /^media\/models\/[^/]+\/model\.onnx$/.test(file))).to.equal(true);
    expect(files.some((file) => /^media\/models\/[^/]+\/tokenizer\.json$/.test(file))).to.equal(true);
  });

  it('include every file that the manifest names', () => {
    const icons = manifest.contributes.commands.flatMap(({ icon }) =>
      icon === undefined ? [] : typeof icon === 'string' ? [icon] : Object.values(icon),
    );
    const media = (manifest.contributes.walkthroughs ?? []).flatMap(({ steps }) =>
      steps.flatMap((step) =>
        Object.entries(step.media).flatMap(([kind, value]) =>
          kind === 'altText' ? [] : typeof value === 'string' ? [value] : Object.values(value),
        ),
      ),
    );
    const named = [
      manifest.main,
      manifest.browser,
      ...(manifest.icon === undefined ? [] : [manifest.icon]),
      ...icons.filter((icon) => !icon.startsWith('$(')),
      ...media,
    ];
    expect(named.map((path) => path.replace(/^\.\//, '')).filter((path) => !files.includes(path))).to.deep.equal([]);
  });

  it('show the product in each first step, in words too', () => {
    for (const { steps } of (manifest.contributes.walkthroughs ?? []).filter(({ id }) => id === 'start')) {
      for (const { media } of steps) {
        const path = (media as { readonly markdown: string }).markdown; // each step has one
        const pictures = [...readFileSync(join(root, path), 'utf8').matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)];
        expect(pictures, path).to.have.length(1);
        const [[, words, name]] = pictures;
        expect(words.length, path).to.be.greaterThan(40);
        const picture = `${path.slice(0, path.lastIndexOf('/'))}/${name}`;
        expect(files, path).to.include(picture);
        expect(statSync(join(root, picture)).size, picture).to.be.within(20_000, 300_000);
      }
    }
  });

  it('weigh at most 40 MB, packaged', () => {
    expect(statSync(vsix).size).to.be.lessThan(40_000_000);
  });

  it('have a small script for the first picture, whose modules the views have from it', () => {
    const packed = readFileSync(vsix);
    const [page, views] = ['webview', 'views'].map((name) => readZipEntry(packed, `extension/dist/${name}.js`));
    expect(page.length).to.be.lessThan(350_000);
    const taken = [...views.matchAll(/globalThis\.pageModules\["?([^"\];]+)"?\]|globalThis\.pageModules\.(\w+)/g)].map(
      ([, name, plain]) => name ?? plain,
    );
    expect(taken).to.include.members([
      'preact/hooks',
      'preact/jsx-runtime',
      '@vscode/l10n',
      './laterViews',
      './components/context',
    ]);
  });

  it('carry no path of the machine that built them', () => {
    for (const file of files.filter((name) => /^dist\/.*\.(cjs|js)$/.test(name))) {
      expect(readFileSync(join(root, file), 'utf8').includes(`${root}/`), file).to.equal(false);
    }
  });

  it('have a command line that says how it is used', () => {
    const printed = execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), '--help'], { encoding: 'utf8' });
    expect(printed).to.include('attention-explorer explain');
  });
});
