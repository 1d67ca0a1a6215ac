import { ExplorerError } from '../../base/errors';
import { codeBlock, codeSpan, escaped, joinMarkdown, md, type MarkdownText } from '../../base/markdown';
import { plain } from '../../base/safeText';
import type { ModelInfo, RunLanguages } from '../../model/modelInfo';
import type { ModelAnalysis } from '../../onnx/find/analyzeModel';
import { planInputs, type InputRole } from '../../onnx/inputs/inputs';
import type { InputView } from '../../protocol';
import type { Sides } from '../../tokenizer/pretrained/makeTokenizer';
import { pythonOf, type FedFile } from '../session/fedInput';
import { configNumber } from '../folder/configNumber';
import { configuredContextLength, givesTypes, type ResolvedModel } from '../folder/modelFolder';
import type { Settings } from '../files/modelSettings';

/** Where a model's input comes from, as sentences for people. */
export interface InputAccount {
  /** Files that were read, relative to the folder that holds them all. */
  readonly files: readonly string[];
  readonly settings: readonly string[];
  readonly assumptions: readonly string[];
}

/** What is known of a tokenizer that was read, and of the latest run. */
export interface ReadWith {
  readonly sides?: Sides | undefined;
  readonly languages?: RunLanguages | undefined;
}

/** What is fed where nothing says it, by role. */
const assumed: Readonly<Partial<Record<InputRole, string>>> = {
  headMask: 'no head is switched off',
  globalMask: 'no position has global attention',
  globalFirst: 'the first token has global attention, as the file was made for some that have',
  paddingMask: 'the text is not masked',
  cache: 'nothing was read before, so caches are empty',
  cacheFlag: 'the branch without a cache runs',
  numLogits: 'scores of all positions are computed',
};

/** Says where the input of a model's files comes from. */
export function inputAccount(
  files: Iterable<string>,
  resolved: Pick<ResolvedModel, 'config' | 'tokenizerConfig' | 'sentenceConfig'>,
  analyses: readonly ModelAnalysis[],
  { sides, languages }: ReadWith = {},
): InputAccount {
  const settings: string[] = languageFacts(resolved.tokenizerConfig, languages);
  const contextLength = configuredContextLength(resolved);
  if (contextLength !== undefined) settings.push(`the model reads at most ${contextLength} tokens`);
  const padId = sides?.padId ?? configNumber(resolved.config, ['pad_token_id']);
  if (sides?.cutsLeft === true) settings.push('a text that is too long loses its beginning (truncation_side)');
  const where = sides?.padsLeft === true ? ' on the left (padding_side)' : '';
  const assumptions: string[] = [];
  for (const { index, hoisted } of analyses) {
    const names = index.inputs.map(({ name }) => name);
    const { roles, fixedLength, numItems } = planInputs(index, names, new Set(names));
    if (fixedLength !== undefined)
      assumptions.push(
        padId === undefined
          ? `a text shorter than ${fixedLength} tokens is filled up${where} with id 0, as no padding token is stated`
          : `a text shorter than ${fixedLength} tokens is filled up${where} with id ${padId}`,
      );
    if (numItems > 1) assumptions.push(`all ${numItems} items of the batch are the same text, and the first is shown`);
    for (const [name, role] of roles) {
      if (role === 'tokenTypes') typeFacts(resolved, settings, assumptions);
      const what = assumed[role];
      if (
        what !== undefined &&
        !assumptions.includes(what) &&
        !(role === 'cacheFlag' && hoisted.some(({ input }) => input === name))
      )
        assumptions.push(what);
    }
  }
  return { files: relative([...files]), settings, assumptions };
}

/** Settings of languages, by what they are of. */
const languageSettings = [
  ['a text is read as', ['src_lang', 'source_lang']],
  ['a target of your own is in', ['tgt_lang', 'target_lang']],
] as const;

/** The languages that the settings of a tokenizer name, and those of the latest run. */
function languageFacts(tokenizerConfig: Settings, used: RunLanguages | undefined): string[] {
  const facts = languageSettings.flatMap(([what, names]) =>
    names.flatMap((name) => {
      const value = tokenizerConfig[name];
      return typeof value === 'string' && value !== '' && value.length < 100 ? [`${what} ${value} (${name})`] : [];
    }),
  );
  if (used !== undefined)
    facts.push(
      `the latest run read the text as ${used.source ?? 'no stated language'}, and its target is in ${used.target ?? 'no stated language'}`,
      `the tokenizer knows ${used.codes.length} codes of languages`,
    );
  return facts;
}

function typeFacts(resolved: Pick<ResolvedModel, 'tokenizerConfig'>, settings: string[], assumptions: string[]): void {
  const [list, sentence] = givesTypes(resolved)
    ? [settings, 'types of tokens are those that the tokenizer makes']
    : [assumptions, 'all tokens are of type 0, as model_input_names of the tokenizer’s settings has no token_type_ids'];
  if (!list.includes(sentence)) list.push(sentence);
}

/** What a model's files were fed, and where that comes from. Throws `nothingRead` where nothing was. */
export function inputView(
  { name }: Pick<ModelInfo, 'name'>,
  fed: readonly FedFile[],
  account: InputAccount,
): InputView {
  if (fed.length === 0) throw new ExplorerError('nothingRead', [name]);
  const python = pythonOf(fed);
  return {
    title: name,
    python,
    markdown: joinMarkdown(
      [
        md`# ${escaped(plain(`Input of ${name}`))}\n`,
        accountMarkdown(account),
        md``,
        codeBlock('python', python, python.length),
        md``,
      ],
      '\n',
    ),
  };
}

/** Paths without the folders that they share. */
function relative(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/[/\\]/));
  let shared = 0;
  while (parts.length > 0 && parts.every((each) => each.length > shared + 1 && each[shared] === parts[0][shared]))
    shared++;
  return [...new Set(parts.map((each) => each.slice(shared).join('/')))].sort();
}

/** Files, and sentences of one kind, that are written out. */
const mostListed = 50;

/** The account as a part of the report. */
export function accountMarkdown({ files, settings, assumptions }: InputAccount): MarkdownText {
  const list = (title: string, items: readonly MarkdownText[]): MarkdownText[] =>
    items.length === 0
      ? []
      : [
          md`* ${escaped(plain(title))}: ${joinMarkdown(items.slice(0, mostListed), '; ')}${items.length > mostListed ? md`; and ${items.length - mostListed} more` : md``}.`,
        ];
  const lines = [
    ...list('Files read', files.map(codeSpan)),
    ...list(
      'Settings used',
      settings.map((each) => escaped(plain(each))),
    ),
    ...list(
      'Assumed',
      assumptions.map((each) => escaped(plain(each))),
    ),
  ];
  return joinMarkdown([md``, md`## Where the input comes from`, md``, ...lines, md``], '\n');
}
