// Direction, cycles and orphans. What may import what stands in CONTRIBUTING.md.
const allowed = {
  base: ['base'],
  model: ['base', 'model'],
  tokenizer: ['base', 'tokenizer'],
  onnx: ['base', 'onnx'],
  rpc: ['base', 'rpc'],
  engine: ['base', 'model', 'tokenizer', 'onnx', 'rpc', 'engine', 'protocol'],
  host: ['base', 'model', 'rpc', 'host', 'protocol'],
  cli: ['base', 'model', 'tokenizer', 'onnx', 'rpc', 'engine', 'cli', 'protocol'],
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: ['\\.d\\.ts$', 'tsconfig'] }, to: {} },
    {
      name: 'only-host-knows-vscode',
      severity: 'error',
      from: { pathNot: ['^src/host/', '^src/extension\\.'] },
      to: { path: '^vscode$' },
    },
    ...Object.entries(allowed).map(([area, targets]) => ({
      name: `${area}-imports`,
      severity: 'error',
      from: { path: `^src/${area}/` },
      to: { path: '^(src|webview)/', pathNot: targets.map((target) => `^src/${target}(/|\\.ts$)`) },
    })),
    {
      name: 'webview-imports',
      severity: 'error',
      from: { path: '^webview/' },
      to: { path: '^src/', pathNot: ['^src/base/', '^src/model/', '^src/rpc/', '^src/protocol\\.ts$'] },
    },
    {
      name: 'protocol-imports',
      severity: 'error',
      from: { path: '^src/protocol\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/base/', '^src/model/'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.depcruise.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'] },
  },
};
