import tseslint from 'typescript-eslint';

/** Import borders: what an area must not import, and what to do instead. */
const borders = {
  base: [
    [
      '**/model/**',
      '**/tokenizer/**',
      '**/onnx/**',
      '**/rpc/**',
      '**/engine/**',
      '**/host/**',
      '**/cli/**',
      '**/webview/**',
      '**/protocol',
      '**/panelProtocol',
    ],
    'base knows no domain: move what needs the domain to where it is known.',
  ],
  model: [
    [
      '**/tokenizer/**',
      '**/onnx/**',
      '**/rpc/**',
      '**/engine/**',
      '**/host/**',
      '**/cli/**',
      '**/webview/**',
      '**/protocol',
      '**/panelProtocol',
    ],
    'model is pure and knows only base: pass data in instead.',
  ],
  tokenizer: [
    [
      '**/model/**',
      '**/onnx/**',
      '**/rpc/**',
      '**/engine/**',
      '**/host/**',
      '**/cli/**',
      '**/webview/**',
      '**/protocol',
      '**/panelProtocol',
    ],
    'tokenizer knows only base: map its result where it is used.',
  ],
  onnx: [
    [
      '**/model/**',
      '**/tokenizer/**',
      '**/rpc/**',
      '**/engine/**',
      '**/host/**',
      '**/cli/**',
      '**/webview/**',
      '**/protocol',
      '**/panelProtocol',
      'onnxruntime*',
    ],
    'onnx reads graphs and knows no runtime: run them in engine.',
  ],
  rpc: [
    [
      '**/model/**',
      '**/tokenizer/**',
      '**/onnx/**',
      '**/engine/**',
      '**/host/**',
      '**/cli/**',
      '**/webview/**',
      '**/protocol',
      '**/panelProtocol',
    ],
    'rpc carries messages and knows no domain: describe them in protocol.ts.',
  ],
  hub: [
    [
      '**/tokenizer/**',
      '**/onnx/**',
      '**/rpc/**',
      '**/engine/**',
      '**/host/**',
      '**/cli/**',
      '**/webview/**',
      '**/protocol',
      '**/panelProtocol',
    ],
    'hub knows only base and model: what is done with a model is the engine’s and the host’s.',
  ],
  engine: [
    ['vscode', '**/host/**', '**/cli/**', '**/webview/**'],
    'engine knows no editor: add a method to the protocol.',
  ],
  host: [
    [
      '**/engine/main*',
      '**/engine/runtime/**',
      '**/engine/session/**',
      '**/engine/serve/**',
      '**/onnx/**',
      '**/tokenizer/**',
      '**/cli/**',
      '**/webview/**',
      'onnxruntime*',
    ],
    'host talks to the engine and the webview through protocol.ts only.',
  ],
  cli: [['vscode', '**/host/**', '**/webview/**'], 'cli uses the engine, not the editor.'],
  notebook: [
    ['**/cli/**', '**/webview/**', '**/onnx/**', '**/tokenizer/**', 'onnxruntime*'],
    'notebook serves the panel’s page from an attention file, without a model.',
  ],
};

const restricted = (group, message, allowedVscode) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { group, message },
        ...(allowedVscode
          ? []
          : [{ group: ['vscode'], message: 'Only src/host and the entries import vscode: pass what you need in.' }]),
      ],
    },
  ],
});

/** Where text is shown: only src/host/say hands it to VS Code, and takes types that say that it is fit for the place. */
const shownBySay =
  'Show it through src/host/say: what a model file says may be read there as a link, an icon or a command.';
const sayOnly = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name: a default export has as many names as importers.' },
  ...[
    "MemberExpression[object.object.name='vscode'][object.property.name='window'][property.name=/^(?:show(?:Error|Warning|Information)Message|show(?:QuickPick|InputBox|OpenDialog|SaveDialog)|create(?:QuickPick|InputBox|StatusBarItem|OutputChannel|WebviewPanel|TreeView)|withProgress|setStatusBarMessage)$/]",
    "NewExpression[callee.object.name='vscode'][callee.property.name=/^(?:MarkdownString|Hover|TreeItem|CompletionItem|Diagnostic|InlayHint|CodeLens)$/]",
    'AssignmentExpression[left.property.name=/^(?:title|placeholder|tooltip|prompt|description|detail|validationMessage|hoverMessage)$/]',
    "MemberExpression[object.object.name='vscode'][object.property.name='commands'][property.name='registerCommand']",
    "ImportDeclaration[source.value='vscode'] ImportSpecifier[imported.name=/^(?:window|commands|MarkdownString|l10n)$/]",
    'TSTypeReference[typeName.right.name=/^(?:LogOutputChannel|OutputChannel|QuickPickItem)$/]',
  ].map((selector) => ({ selector, message: shownBySay })),
  {
    selector: "MemberExpression[object.object.name='vscode'][object.property.name='l10n'][property.name='t']",
    message: 'Use said of src/host/say/said.ts, which makes the arguments fit to be shown.',
  },
];
const literalSentence = {
  selector: "CallExpression[callee.name=/^said(?:Markdown)?$/][arguments.0.type!='Literal']",
  message: 'Write the sentence itself here: it is translated, and nothing of it may come from a file.',
};
const castOfSafeText = {
  selector:
    'TSAsExpression > TSTypeReference[typeName.name=/^(?:PlainText|PlainLines|MessageText|LabelText|MarkdownText|TerminalText|LogText)$/]',
  message:
    'Make it with the functions of src/base/safeText.ts and its neighbours: a cast makes nothing fit to be shown.',
};

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'out/',
      'node_modules/',
      'test/host/',
      'test/artefacts/',
      'media/',
      '.vscode-test/',
      'scripts/models/',
      'assembly/',
    ],
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}'],
    extends: [...tseslint.configs.recommended],
    rules: {
      '@typescript-eslint/no-unused-vars': 'off', // the compiler reports them
      '@typescript-eslint/no-unused-expressions': [
        'error',
        { allowShortCircuit: true, allowTernary: true, allowTaggedTemplates: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-empty-object-type': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportDefaultDeclaration',
          message: 'Export by name: a default export has as many names as importers.',
        },
      ],
      'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-control-regex': 'off',
      'no-misleading-character-class': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.{ts,tsx}'],
    ignores: ['**/*.d.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    // One program for all of them: one for each area, whose types and libraries are its own, is the compiler's to check, and takes a fifth longer.
    languageOptions: { parserOptions: { project: 'tsconfig.whole.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': 'off', // the compiler reports them
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'max-params': ['error', 4],
      complexity: ['error', 20],
      '@typescript-eslint/no-invalid-void-type': ['error', { allowAsThisParameter: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off', // arrow functions hand on what they call
      '@typescript-eslint/no-unnecessary-condition': 'off', // an element of an array may be missing, which types do not say here
      '@typescript-eslint/no-misused-spread': 'off', // texts are spread into code points on purpose
      '@typescript-eslint/require-await': 'off', // what an asynchronous interface asks may be at hand
      '@typescript-eslint/unbound-method': 'off', // functions of an interface are written as methods
      '@typescript-eslint/no-unsafe-enum-comparison': 'off', // numbers read from files are told apart by enums
      '@typescript-eslint/no-meaningless-void-operator': 'off', // reading a signal is what subscribes
    },
  },
  ...Object.entries(borders).map(([area, [group, message]]) => ({
    files: [`src/${area}/**/*.ts`],
    rules: restricted(group, message, area === 'host'),
  })),
  {
    files: ['src/host/**/*.ts'],
    ignores: ['src/host/say/**'],
    rules: { 'no-restricted-syntax': ['error', ...sayOnly, literalSentence, castOfSafeText] },
  },
  {
    files: ['src/{engine,cli,notebook,onnx,model,tokenizer,rpc,hub}/**/*.ts', 'webview/**/*.{ts,tsx}'],
    rules: { 'no-restricted-syntax': ['error', sayOnly[0], castOfSafeText] },
  },
  {
    files: ['webview/components/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-syntax': [
        'error',
        sayOnly[0],
        castOfSafeText,
        {
          selector: "AssignmentExpression[left.property.name='value'][left.object.name!='select']",
          message: 'Call an intent: what is shown is written by webview/state alone.',
        },
      ],
    },
  },
  {
    files: ['webview/**/*.{ts,tsx}'],
    rules: restricted(
      ['**/engine/**', '**/host/**', '**/cli/**', '**/onnx/**', '**/tokenizer/**', 'onnxruntime*'],
      'The webview draws what the protocol brings: ask the host for it.',
      false,
    ),
  },
  {
    files: ['test/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
    },
  },
);
