/** The grammars that ship, by the names of their files, `tree-sitter-NAME.wasm`. */
const grammars = [
  'bash',
  'c-sharp',
  'cpp',
  'css',
  'go',
  'java',
  'javascript',
  'php',
  'powershell',
  'python',
  'ruby',
  'rust',
  'tsx',
  'typescript',
] as const;
/** One of them. */
export type Grammar = (typeof grammars)[number];

/** VS Code's names of languages, and the endings of files, that are not a grammar's own name. C is read as C++, which says the same of it. */
const aliases: Readonly<Record<string, Grammar>> = {
  shellscript: 'bash',
  sh: 'bash',
  csharp: 'c-sharp',
  cs: 'c-sharp',
  c: 'cpp',
  h: 'cpp',
  hpp: 'cpp',
  cc: 'cpp',
  cxx: 'cpp',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  javascriptreact: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  typescriptreact: 'tsx',
  ps1: 'powershell',
  py: 'python',
  pyi: 'python',
  rb: 'ruby',
  rs: 'rust',
};

/** The grammar of a language, by VS Code's name of it or a file's ending without its dot; undefined where none ships. */
export function grammarOf(language: string): Grammar | undefined {
  const name = language.toLowerCase();
  return grammars.find((grammar) => grammar === name) ?? (Object.hasOwn(aliases, name) ? aliases[name] : undefined);
}

/** The languages that have a grammar, for a sentence. */
export const grammarNames: string = grammars.join(', ');
