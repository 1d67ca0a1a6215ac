import { ExplorerError } from '../../base/errors';
import { codeBlock, codeSpan, escaped, joinMarkdown, md, type MarkdownText } from '../../base/markdown';
import { plain } from '../../base/safeText';
import { noticeText, type ModelInfo, type Notice, type RunLanguages } from '../../model/modelInfo';
import type { ModelAnalysis } from '../../onnx/find/analyzeModel';
import { signatureOf, type InputRole } from '../../onnx/inputs/inputs';
import type { InputView } from '../../protocol';
import type { Sides } from '../../tokenizer/pretrained/makeTokenizer';
import { pythonOf, type FedFile } from '../session/fedInput';
import { configNumber } from '../folder/configNumber';
import { configuredContextLength, givesTypes, type ResolvedModel } from '../folder/modelFolder';
import type { Settings } from '../files/modelSettings';

/** Where a model's input comes from. */
export interface InputAccount {
  /** Files that were read, relative to the folder that holds them all. */
  readonly files: readonly string[];
  readonly settings: readonly Notice[];
  readonly assumptions: readonly Notice[];
}

/** What is known of a tokenizer that was read, and of the latest run. */
export interface ReadWith {
  readonly sides?: Sides | undefined;
  readonly languages?: RunLanguages | undefined;
}

/** What is fed where nothing says it, by role. */
const assumed: Readonly<Partial<Record<InputRole, Notice['code']>>> = {
  headMask: 'assumedHeads',
  globalMask: 'assumedNoGlobal',
  globalFirst: 'assumedFirstGlobal',
  paddingMask: 'assumedUnmasked',
  cache: 'assumedNoPast',
  cacheFlag: 'assumedFirstRun',
  numLogits: 'assumedAllScores',
};

/** Says where the input of a model's files comes from. */
export function inputAccount(
  files: Iterable<string>,
  resolved: Pick<ResolvedModel, 'config' | 'tokenizerConfig' | 'sentenceConfig'>,
  analyses: readonly ModelAnalysis[],
  { sides, languages }: ReadWith = {},
): InputAccount {
  const settings = languageFacts(resolved.tokenizerConfig, languages);
  const contextLength = configuredContextLength(resolved);
  if (contextLength !== undefined) settings.push({ code: 'settingLength', args: [contextLength] });
  const padId = sides?.padId ?? configNumber(resolved.config, ['pad_token_id']);
  if (sides?.cutsLeft === true) settings.push({ code: 'settingCutsLeft', args: [] });
  const assumptions: Notice[] = [];
  for (const { index, hoisted } of analyses) {
    const { roles, fixedLength, numItems } = signatureOf(index);
    if (fixedLength !== undefined) assumptions.push(filledUp(fixedLength, padId, sides?.padsLeft === true));
    if (numItems > 1) assumptions.push({ code: 'assumedBatch', args: [numItems] });
    for (const [name, role] of roles) {
      if (role === 'tokenTypes') typeFacts(resolved, settings, assumptions);
      const code = assumed[role];
      if (
        code !== undefined &&
        !assumptions.some((each) => each.code === code) &&
        !(role === 'cacheFlag' && hoisted.some(({ input }) => input === name))
      )
        assumptions.push({ code, args: [] });
    }
  }
  return { files: relative([...files]), settings, assumptions };
}

function filledUp(length: number, padId: number | undefined, isLeft: boolean): Notice {
  return padId === undefined
    ? { code: isLeft ? 'filledUpUnstatedLeft' : 'filledUpUnstated', args: [length] }
    : { code: isLeft ? 'filledUpLeft' : 'filledUp', args: [length, padId] };
}

/** Settings of languages, by what they are of. */
const languageSettings = [
  ['settingSource', ['src_lang', 'source_lang']],
  ['settingTarget', ['tgt_lang', 'target_lang']],
] as const;

/** The languages that the settings of a tokenizer name, and those of the latest run. */
function languageFacts(tokenizerConfig: Settings, used: RunLanguages | undefined): Notice[] {
  const facts: Notice[] = languageSettings.flatMap(([code, names]) =>
    names.flatMap((name): Notice[] => {
      const value = tokenizerConfig[name];
      return typeof value === 'string' && value !== '' && value.length < 100 ? [{ code, args: [value, name] }] : [];
    }),
  );
  if (used !== undefined)
    facts.push(
      { code: 'usedLanguages', args: [used.source ?? '?', used.target ?? '?'] },
      { code: 'knownLanguages', args: [used.codes.length] },
    );
  return facts;
}

function typeFacts(resolved: Pick<ResolvedModel, 'tokenizerConfig'>, settings: Notice[], assumptions: Notice[]): void {
  const [list, code]: [Notice[], Notice['code']] = givesTypes(resolved)
    ? [settings, 'settingTypes']
    : [assumptions, 'assumedType'];
  if (!list.some((each) => each.code === code)) list.push({ code, args: [] });
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
  const list = (title: string, items: readonly MarkdownText[], separator: '; ' | ' '): MarkdownText[] => {
    const more = items.length > mostListed ? md` and ${items.length - mostListed} more` : md``;
    return items.length === 0
      ? []
      : [md`* ${escaped(plain(title))}: ${joinMarkdown(items.slice(0, mostListed), separator)}${more}`];
  };
  const sentences = (notices: readonly Notice[]): MarkdownText[] =>
    notices.map((notice) => escaped(noticeText(notice)));
  const lines = [
    ...list('Files read', files.map(codeSpan), '; '),
    ...list('Settings used', sentences(settings), ' '),
    ...list('Assumed', sentences(assumptions), ' '),
  ];
  return joinMarkdown([md``, md`## Where the input comes from`, md``, ...lines, md``], '\n');
}
