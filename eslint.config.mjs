import tseslint from 'typescript-eslint';

/** Import borders: what an area must not import, and what to do instead. */
const borders = {
  base: [['**/model/**', '**/tokenizer/**', '**/onnx/**', '**/rpc/**', '**/engine/**', '**/host/**', '**/cli/**', '**/webview/**', '**/protocol'], 'base knows no domain: move what needs the domain to where it is known.'],
  model: [['**/tokenizer/**', '**/onnx/**', '**/rpc/**', '**/engine/**', '**/host/**', '**/cli/**', '**/webview/**', '**/protocol'], 'model is pure and knows only base: pass data in instead.'],
  tokenizer: [['**/model/**', '**/onnx/**', '**/rpc/**', '**/engine/**', '**/host/**', '**/cli/**', '**/webview/**', '**/protocol'], 'tokenizer knows only base: map its result where it is used.'],
  onnx: [['**/model/**', '**/tokenizer/**', '**/rpc/**', '**/engine/**', '**/host/**', '**/cli/**', '**/webview/**', '**/protocol', 'onnxruntime*'], 'onnx reads graphs and knows no runtime: run them in engine.'],
  rpc: [['**/model/**', '**/tokenizer/**', '**/onnx/**', '**/engine/**', '**/host/**', '**/cli/**', '**/webview/**', '**/protocol'], 'rpc carries messages and knows no domain: describe them in protocol.ts.'],
  engine: [['vscode', '**/host/**', '**/cli/**', '**/webview/**'], 'engine knows no editor: add a method to the protocol.'],
  host: [['**/engine/main*', '**/engine/attention*', '**/onnx/**', '**/tokenizer/**', '**/cli/**', '**/webview/**', 'onnxruntime*'], 'host talks to the engine and the webview through protocol.ts only.'],
  cli: [['vscode', '**/host/**', '**/webview/**'], 'cli uses the engine, not the editor.'],
};

const restricted = (group, message, allowedVscode) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { group, message },
        ...(allowedVscode ? [] : [{ group: ['vscode'], message: 'Only src/host and the entries import vscode: pass what you need in.' }]),
      ],
    },
  ],
});

export default tseslint.config(
  { ignores: ['dist/', 'out/', 'node_modules/', 'test/host/', 'test/artefacts/', 'media/', '.vscode-test/', 'scripts/models/'] },
  {
    files: ['src/**/*.ts', 'webview/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}'],
    extends: [...tseslint.configs.recommended],
    rules: {
      '@typescript-eslint/no-unused-vars': 'off', // the compiler reports them
      '@typescript-eslint/no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true, allowTaggedTemplates: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-empty-object-type': 'off',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name: a default export has as many names as importers.' }],
      'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-control-regex': 'off',
      'no-misleading-character-class': 'off',
    },
  },
  ...Object.entries(borders).map(([area, [group, message]]) => ({ files: [`src/${area}/**/*.ts`], rules: restricted(group, message, area === 'host') })),
  { files: ['webview/**/*.{ts,tsx}'], rules: restricted(['**/engine/**', '**/host/**', '**/cli/**', '**/onnx/**', '**/tokenizer/**', 'onnxruntime*'], 'The webview draws what the protocol brings: ask the host for it.', false) },
  { files: ['test/**/*.{ts,tsx}'], rules: { 'no-restricted-imports': 'off', 'max-lines': 'off', '@typescript-eslint/no-unused-expressions': 'off', '@typescript-eslint/no-explicit-any': 'off' } },
);
