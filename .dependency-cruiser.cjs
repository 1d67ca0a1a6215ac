// Direction, cycles and orphans. What may import what stands in CONTRIBUTING.md.
const allowed = {
  base: ['base'],
  model: ['base', 'model'],
  tokenizer: ['base', 'tokenizer'],
  onnx: ['base', 'onnx'],
  rpc: ['base', 'rpc'],
  hub: ['base', 'model', 'hub'],
  engine: ['base', 'model', 'tokenizer', 'onnx', 'rpc', 'engine', 'protocol'],
  host: ['base', 'model', 'rpc', 'hub', 'host', 'protocol', 'panelProtocol'],
  cli: ['base', 'model', 'tokenizer', 'onnx', 'rpc', 'hub', 'engine', 'cli', 'protocol'],
  notebook: [
    ...['base', 'model', 'rpc', 'engine', 'notebook', 'protocol', 'panelProtocol'],
    ...['host/engine/heldRun', 'host/panel/formedRequests', 'host/panel/panelHtml', 'host/panel/panelMessages'],
  ],
};

/** The rooms of an area, in an order in which each imports only from those before it. */
const rooms = {
  onnx: ['file', 'graph', 'follow', 'name', 'find', 'inputs', 'report', 'rewrite', 'stages', 'steps', 'predict'],
  engine: [
    ...[
      'limits',
      'files',
      'syntax',
      'runtime',
      'weights',
      'stages',
      'session',
      'long',
      'how',
      'jinja',
      'text',
      'seq2seq',
      'folder',
      'report',
    ],
    ...['predict', 'effects', 'compare', 'image', 'attentionFile', 'profile', 'serve'],
  ],
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
    ...Object.entries(rooms).flatMap(([area, names]) => [
      ...names.slice(0, -1).map((room, i) => ({
        name: `${area}-${room}-imports`,
        comment: `Rooms of src/${area} import only from rooms before them: ${names.join(', ')}.`,
        severity: 'error',
        from: { path: `^src/${area}/${room}/` },
        to: { path: `^src/${area}/`, pathNot: names.slice(0, i + 1).map((name) => `^src/${area}/${name}/`) },
      })),
      {
        name: `${area}-has-rooms`,
        comment: `Each file of src/${area} stands in one of its rooms.`,
        severity: 'error',
        from: {
          path: `^src/${area}/`,
          pathNot: [...names.map((name) => `^src/${area}/${name}/`), `^src/${area}/main\\.`],
        },
        to: {},
      },
    ]),
    {
      name: 'webview-imports',
      severity: 'error',
      from: { path: '^webview/' },
      to: { path: '^src/', pathNot: ['^src/base/', '^src/model/', '^src/rpc/', '^src/(protocol|panelProtocol)\\.ts$'] },
    },
    {
      name: 'protocol-imports',
      severity: 'error',
      from: { path: '^src/(protocol|panelProtocol)\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/base/', '^src/model/', '^src/protocol\\.ts$'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.whole.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'] },
  },
};
