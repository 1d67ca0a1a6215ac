import { AddedToken } from '../addedTokens';
import { isId, JsonFields, TokenizerFormatError, UnsupportedPartError } from '../jsonFields';
import { readDecoder } from '../decoders/readDecoder';
import { readPostProcessor } from '../postProcessors/readPostProcessor';
import { parseJson, readAddedTokens, Tokenizer, type TokenizerSteps, withNamedErrors } from '../tokenizer';
import { Backend } from './backend';
import { chooseClass, type ChosenClass } from './chooseClass';
import type { TokenizerClass } from './classes/tokenizerClass';
import { contentOf, InitArguments, type TokenizerSettings, type TokenValue } from './initArguments';
import { openVocabulary, type OpenedVocabulary, type ReadFile, vocabularyFiles } from './openVocabulary';
import type { Part } from './parts';
import type { SideParts, TokenizerProgram } from './programs/program';
import { tokenizerPrograms } from './programs/tokenizerPrograms';
import { ReferenceFailure } from './referenceFailure';
import { knownSettings } from './referenceNames';
import type { VocabularySource } from './vocabularySource';

/** What the files of a tokenizer hold. */
export interface TokenizerFiles extends TokenizerSettings {
  /** Stands for the tokenizer in errors. */
  readonly name: string;
  /** `model_type` and `tokenizer_class` of config.json. */
  readonly modelType: string | undefined;
  readonly modelClass: string | undefined;
  /** The text of tokenizer.json; undefined where there is none. */
  readonly json: string | undefined;
  /** Names of the files in the folder. */
  readonly fileNames: readonly string[];
  /** Reads a file that {@link neededFiles} names. */
  readonly read: ReadFile;
}

/** Something of a tokenizer's files that is not done as the reference library does it. */
export type TokenizerRemark =
  /** Its class is a program in the reference library: tokenizer.json is taken as it stands. */
  | { readonly kind: 'program'; readonly className: string }
  /** The reference library would not open it: tokenizer.json is taken as it stands. */
  | { readonly kind: 'failure'; readonly className: string; readonly reason: string }
  /** No file names a class: one is assumed by the files that are there. */
  | { readonly kind: 'assumed'; readonly className: string }
  /** Added tokens of which the reference library takes any, another in each run. */
  | { readonly kind: 'alike'; readonly names: readonly string[] }
  /** Settings that nobody knows. */
  | { readonly kind: 'settings'; readonly names: readonly string[] };

/** A tokenizer with what is to be said of it. */
export interface MadeTokenizer {
  readonly tokenizer: Tokenizer;
  readonly className: string;
  readonly remarks: readonly TokenizerRemark[];
  readonly sides: Sides;
  /** Its special tokens by name (`bos_token`, `image_token`), those that its class names included; undefined where the reference library would not open it. */
  readonly named?: ReadonlyMap<string, string> | undefined;
}

/** On which sides the reference library fills texts up and cuts them, and with what. */
export interface Sides {
  readonly padsLeft: boolean;
  readonly cutsLeft: boolean;
  /** The id of the padding token; undefined where the tokenizer has none. */
  readonly padId: number | undefined;
}

const right: Sides = { padsLeft: false, cutsLeft: false, padId: undefined };

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The class of a folder, and whether a folder that names none lets it be assumed by its files. */
function classOf({ config, modelType, modelClass, json, fileNames }: Omit<TokenizerFiles, 'read'>): {
  chosen: ChosenClass;
  isAssumed: boolean;
} {
  const chosen = chooseClass({
    modelType,
    settingsClass: text(config?.['tokenizer_class']),
    modelClass,
    hasOwnProgram: config?.['auto_map'] !== undefined,
  });
  if (json !== undefined || chosen.kind !== 'generic' || vocabularyFiles(chosen, fileNames).length > 0)
    return { chosen, isAssumed: false };
  const assumed = fileNames.includes('vocab.txt')
    ? 'BertTokenizer'
    : fileNames.includes('merges.txt')
      ? 'GPT2Tokenizer'
      : undefined;
  return assumed === undefined
    ? { chosen, isAssumed: false }
    : {
        chosen: chooseClass({
          modelType: undefined,
          settingsClass: assumed,
          modelClass: undefined,
          hasOwnProgram: false,
        }),
        isAssumed: true,
      };
}

/** The files that a folder's tokenizer may be made of beside its tokenizer.json, by the class that the folder names. */
export function programFiles(files: Omit<TokenizerFiles, 'read'>): readonly string[] {
  const program = programOf(classOf(files).chosen);
  return program?.files((name) => files.config?.[name]) ?? [];
}

/** The files that a tokenizer is made of, but for a tokenizer.json. */
export function neededFiles(files: Omit<TokenizerFiles, 'read'>): readonly string[] {
  const { chosen } = classOf(files);
  if (programOf(chosen) !== undefined) return programFiles(files);
  return files.json === undefined ? vocabularyFiles(chosen, files.fileNames) : [];
}

const programOf = (chosen: ChosenClass): TokenizerProgram | undefined =>
  chosen.kind === 'program' ? tokenizerPrograms.get(chosen.name) : undefined;

/** Whether a class of the reference library makes its tokenizer of no file but the settings. */
export function needsNoFiles(config: NonNullable<TokenizerSettings['config']>): boolean {
  const chosen = chooseClass({
    modelType: undefined,
    settingsClass: text(config['tokenizer_class']),
    modelClass: undefined,
    hasOwnProgram: config['auto_map'] !== undefined,
  });
  return programOf(chosen)?.files(() => undefined).length === 0;
}

/** Makes the tokenizer that the reference library (transformers) makes of the same files. Throws as `Tokenizer.fromJson`. */
export function makeTokenizer(files: TokenizerFiles): MadeTokenizer {
  const { chosen, isAssumed } = classOf(files);
  const remarks: TokenizerRemark[] = unknownSettings(files.config);
  if (isAssumed) remarks.push({ kind: 'assumed', className: chosen.name });
  return withNamedErrors(files.name, () => {
    const made = chosen.kind === 'program' ? ofProgram(files, chosen, remarks) : undefined;
    return { ...(made ?? ofClass(files, chosen, remarks)), className: chosen.name, remarks };
  });
}

type Made = Pick<MadeTokenizer, 'tokenizer' | 'sides' | 'named'>;

/** What went wrong where the reference library would not open a tokenizer. Throws anything else. */
function refusalOf(error: unknown): ReferenceFailure | TokenizerFormatError {
  if (error instanceof ReferenceFailure || error instanceof TokenizerFormatError) return error;
  throw error;
}

const formatError = (failure: ReferenceFailure | TokenizerFormatError): TokenizerFormatError =>
  failure instanceof TokenizerFormatError ? failure : new TokenizerFormatError(failure.message, { cause: failure });

/** The tokenizer of a class that is a program in the reference library; undefined, with a remark, where its tokenizer.json is to be taken as it stands. */
function ofProgram(files: TokenizerFiles, chosen: ChosenClass, remarks: TokenizerRemark[]): Made | undefined {
  const { name } = chosen;
  const program = programOf(chosen);
  const missing = programFiles(files).find((file) => !files.fileNames.includes(file));
  if (program === undefined || missing !== undefined) {
    if (files.json !== undefined) remarks.push({ kind: 'program', className: name });
    else if (missing !== undefined) throw new TokenizerFormatError(`${missing} is missing`);
    else throw new UnsupportedPartError(`a program of its own, ${name},`);
    return undefined;
  }
  try {
    return fromProgram(files, program);
  } catch (error) {
    const failure = refusalOf(error);
    if (files.json === undefined) throw formatError(failure);
    remarks.push({ kind: 'failure', className: name, reason: failure.message });
    return undefined;
  }
}

/** The tokenizer of a class, else as its files stand. */
function ofClass(files: TokenizerFiles, chosen: ChosenClass, remarks: TokenizerRemark[]): Made {
  const fields = files.json === undefined ? undefined : new JsonFields(parseJson(files.json), 'tokenizer');
  const attempts: ChosenClass[] = chosen.kind === 'class' ? [chosen, { kind: 'generic', name: chosen.name }] : [chosen];
  let failure: ReferenceFailure | TokenizerFormatError | undefined;
  const tellFailure = (): void => {
    if (failure !== undefined) remarks.push({ kind: 'failure', className: chosen.name, reason: failure.message });
  };
  for (const attempt of attempts) {
    try {
      const { backend, init } = build(files, fields, attempt);
      const tokenizer = fromBackend(files.name, backend, init.raw('split_special_tokens') !== true);
      tellFailure();
      const padToken = backend.named.get('pad_token');
      const sides = sidesOf(init, fields, {
        padsLeft: attempt.kind === 'class' && attempt.made.padsLeft === true,
        padId: padToken === undefined ? undefined : backend.idOf(contentOf(padToken)),
      });
      const named = new Map([...backend.named].map(([name, value]) => [name, contentOf(value)]));
      if (tokenizer.alikeTokens.length > 0) remarks.push({ kind: 'alike', names: tokenizer.alikeTokens });
      return { tokenizer, sides, ...(failure === undefined ? { named } : {}) };
    } catch (error) {
      const refusal = refusalOf(error);
      // A file that is damaged is damaged however it is read: what the first attempt says is nearer to it.
      failure ??= refusal;
    }
  }
  if (failure === undefined) throw new RangeError('No class was tried');
  if (files.json === undefined || failure instanceof TokenizerFormatError) throw formatError(failure);
  tellFailure();
  return { tokenizer: Tokenizer.fromJson(files.json, files.name), sides: right };
}

/** The sides that the settings say, else those of a tokenizer.json, else the class's own. */
function sidesOf(
  init: InitArguments,
  fields: JsonFields | undefined,
  { padsLeft, padId }: Pick<Sides, 'padsLeft' | 'padId'>,
): Sides {
  const side = (setting: string, section: string): string | undefined =>
    init.text(setting, undefined) ??
    (fields?.has(section) === true ? fields.object(section).optionalString('direction')?.toLowerCase() : undefined);
  return {
    padsLeft: (side('padding_side', 'padding') ?? (padsLeft ? 'left' : 'right')) === 'left',
    cutsLeft: side('truncation_side', 'truncation') === 'left',
    padId,
  };
}

/** Makes a tokenizer that is a program in the reference library. */
function fromProgram(files: TokenizerFiles, program: TokenizerProgram): Made {
  const fields = files.json === undefined ? undefined : new JsonFields(parseJson(files.json), 'tokenizer');
  const init = InitArguments.merge(files, fields && listedTokens(fields));
  const { target, targetCodes, ...own } = program.make(init, files.read);
  const made = ({ model, added, cut, postProcessor, decoder }: SideParts): TokenizerSteps => ({
    name: files.name,
    model,
    added,
    cut,
    postProcess:
      typeof postProcessor === 'function'
        ? postProcessor
        : readPostProcessor(new JsonFields(postProcessor, 'tokenizer.post_processor')),
    decode: typeof decoder === 'function' ? decoder : readDecoder(new JsonFields(decoder, 'tokenizer.decoder')),
  });
  const tokenizer = Tokenizer.fromSteps({
    ...made(own),
    target: target && Tokenizer.fromSteps(made(target)),
    targetCodes,
  });
  const { padId, added } = own;
  return { tokenizer, sides: sidesOf(init, undefined, { padsLeft: false, padId }), named: added.named };
}

const known = new Set(knownSettings.split(' '));

function unknownSettings(config: TokenizerSettings['config']): TokenizerRemark[] {
  const names = Object.keys(config ?? {}).filter((name) => !known.has(name) && !name.endsWith('_token'));
  return names.length === 0 ? [] : [{ kind: 'settings', names }];
}

/** The part of a tokenizer.json under a name, undefined where there is none. */
const partOf = (fields: JsonFields, name: string): Part | undefined =>
  fields.has(name) ? (fields.raw(name) as Part) : undefined; // read by whoever takes it

function build(
  files: TokenizerFiles,
  fields: JsonFields | undefined,
  chosen: ChosenClass,
): { backend: Backend; init: InitArguments } {
  const listed = fields && listedTokens(fields);
  const init = InitArguments.merge(files, listed);
  const made = chosen.kind === 'class' ? chosen.made : undefined;
  const opened =
    fields === undefined ? openVocabulary(chosen, files.fileNames, files.read, init) : openJson(fields, made);
  const pipeline = 'whole' in opened ? opened.whole : (made ?? generic).pipeline(init, opened.source);
  const backend = new Backend(init, pipeline, {
    tokens: handedOn(init, made),
    extras: made?.extras?.(init),
    addsBos: made?.addsBos,
    postProcessor: fields && partOf(fields, 'post_processor'),
    padToken: fields?.has('padding') === true ? fields.object('padding').optionalString('pad_token') : undefined,
  });
  made?.finish?.(backend, init);
  return { backend, init };
}

/** A class that makes nothing itself: it is never asked for a pipeline. */
const generic: Pick<TokenizerClass, 'pipeline'> = {
  pipeline: () => {
    throw new ReferenceFailure('no class of the library reads such files');
  },
};

/** The added tokens of a tokenizer.json with the ids that the file gives them. */
function listedTokens(fields: JsonFields): readonly (readonly [number, AddedToken])[] {
  const ids = fields.has('added_tokens')
    ? fields.array('added_tokens').map((value, i) => new JsonFields(value, `tokenizer.added_tokens[${i}]`).raw('id'))
    : [];
  return readAddedTokens(fields).flatMap((token, i): (readonly [number, AddedToken])[] =>
    isId(ids[i]) ? [[ids[i], token]] : [],
  );
}

function openJson(fields: JsonFields, made: TokenizerClass | undefined): OpenedVocabulary {
  if (made !== undefined && made.takesWhole !== true) return { source: sourceOf(fields, made) };
  return {
    whole: {
      model: fields.object('model').all(),
      normalizer: partOf(fields, 'normalizer'),
      preTokenizer: partOf(fields, 'pre_tokenizer'),
      decoder: partOf(fields, 'decoder'),
      added: readAddedTokens(fields),
    },
  };
}

/** The pieces, merges and rules that a class takes out of a tokenizer.json. */
function sourceOf(fields: JsonFields, { kind }: TokenizerClass): VocabularySource {
  const model = fields.object('model');
  const vocabulary = model.raw('vocab');
  if (typeof vocabulary !== 'object' || vocabulary === null)
    throw new TokenizerFormatError('"tokenizer.model.vocab" is missing');
  const normalizer = fields.has('normalizer') ? fields.object('normalizer') : undefined;
  const steps =
    normalizer === undefined
      ? []
      : normalizer.raw('type') === 'Sequence'
        ? normalizer.array('normalizers').map((step, i) => new JsonFields(step, `${normalizer.path}.normalizers[${i}]`))
        : [normalizer];
  const rules = steps.find((step) => step.raw('type') === 'Precompiled' && step.has('precompiled_charsmap'));
  return {
    vocabulary: vocabulary as NonNullable<VocabularySource['vocabulary']>, // checked by the model's reader
    merges: kind === 'BPE' && model.has('merges') ? model.array('merges') : undefined,
    characterMap: rules?.string('precompiled_charsmap'),
  };
}

/** The special tokens that a class is called with, or names itself. */
function handedOn(init: InitArguments, made: TokenizerClass | undefined): ReadonlyMap<string, TokenValue | null> {
  return new Map(
    Object.entries(made?.tokens ?? {}).map(([name, fallback]) => {
      const value = init.token(name, fallback);
      const flags = made?.flags?.[name];
      return [name, typeof value === 'string' && flags !== undefined ? new AddedToken(value, flags) : value];
    }),
  );
}

function fromBackend(name: string, backend: Backend, findsSpecial: boolean): Tokenizer {
  const part = (value: Part | undefined, path: string): JsonFields | undefined =>
    value && new JsonFields(value, `tokenizer.${path}`);
  return Tokenizer.fromParts({
    name,
    model: backend.model,
    added: backend.added,
    findsSpecial,
    normalizer: part(backend.normalizer, 'normalizer'),
    preTokenizer: part(backend.preTokenizer, 'pre_tokenizer'),
    postProcessor: part(backend.postProcessor, 'post_processor'),
    decoder: part(backend.decoder, 'decoder'),
  });
}
