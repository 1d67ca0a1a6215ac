import { AddedToken } from '../addedTokens';
import { isId, JsonFields, TokenizerFormatError } from '../jsonFields';
import { parseJson, readAddedTokens, Tokenizer, withNamedErrors } from '../tokenizer';
import { Backend, type Pipeline } from './backend';
import { chooseClass, type ChosenClass } from './chooseClass';
import type { TokenizerClass } from './classes/tokenizerClass';
import { InitArguments, type TokenizerSettings, type TokenValue } from './initArguments';
import type { Part } from './parts';
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
  /** Reads a file of the folder that {@link vocabularyFiles} names; undefined where there is none. */
  readonly read: (name: string) => Uint8Array | undefined;
}

/** Something of a tokenizer's files that is not done as the reference library does it. */
export type TokenizerRemark =
  /** Its class is a program in the reference library: tokenizer.json is taken as it stands. */
  | { readonly kind: 'program'; readonly className: string }
  /** The reference library would not open it: tokenizer.json is taken as it stands. */
  | { readonly kind: 'failure'; readonly className: string; readonly reason: string }
  /** Settings that nobody knows. */
  | { readonly kind: 'settings'; readonly names: readonly string[] };

/** A tokenizer with what is to be said of it. */
export interface MadeTokenizer {
  readonly tokenizer: Tokenizer;
  readonly className: string;
  readonly paddingSide: 'left' | 'right';
  readonly remarks: readonly TokenizerRemark[];
}

/** Makes the tokenizer that the reference library (transformers) makes of the same files. Throws as `Tokenizer.fromJson`. */
export function makeTokenizer(files: TokenizerFiles): MadeTokenizer {
  const { config } = files;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const chosen = chooseClass({
    modelType: files.modelType,
    settingsClass: text(config?.['tokenizer_class']),
    modelClass: files.modelClass,
    hasOwnProgram: config?.['auto_map'] !== undefined,
  });
  const remarks: TokenizerRemark[] = unknownSettings(config);
  if (chosen.kind === 'program') remarks.push({ kind: 'program', className: chosen.name });
  return withNamedErrors(files.name, () => {
    const fields = new JsonFields(parseJson(files.json ?? ''), 'tokenizer');
    const attempts: ChosenClass[] = chosen.kind === 'class' ? [chosen, { kind: 'generic', name: chosen.name }] : [chosen];
    for (const attempt of attempts) {
      try {
        const { backend, init } = build(files, fields, attempt);
        const tokenizer = fromBackend(files.name, backend, init.raw('split_special_tokens') !== true);
        return { tokenizer, className: chosen.name, paddingSide: paddingSide(init, chosen), remarks };
      } catch (error) {
        if (!(error instanceof ReferenceFailure) && !(attempt !== attempts[attempts.length - 1] && error instanceof TokenizerFormatError)) throw error;
        if (attempt === attempts[0]) remarks.push({ kind: 'failure', className: chosen.name, reason: error.message });
      }
    }
    return { tokenizer: Tokenizer.fromJson(files.json ?? '', files.name), className: chosen.name, paddingSide: 'right', remarks };
  });
}

function paddingSide(init: InitArguments, chosen: ChosenClass): 'left' | 'right' {
  const said = init.raw('padding_side');
  return said === 'left' || said === 'right' ? said : chosen.kind === 'class' ? (chosen.made.paddingSide ?? 'right') : 'right';
}

const known = new Set(knownSettings.split(' '));

function unknownSettings(config: TokenizerSettings['config']): TokenizerRemark[] {
  const names = Object.keys(config ?? {}).filter((name) => !known.has(name) && !name.endsWith('_token'));
  return names.length === 0 ? [] : [{ kind: 'settings', names }];
}

/** The part of a tokenizer.json under a name, undefined where there is none. */
const partOf = (fields: JsonFields, name: string): Part | undefined => (fields.has(name) ? (fields.raw(name) as Part) : undefined); // read by whoever takes it

function build(files: TokenizerFiles, fields: JsonFields, chosen: ChosenClass): { backend: Backend; init: InitArguments } {
  const listed = readAddedTokens(fields);
  const ids = fields.has('added_tokens') ? fields.array('added_tokens').map((value, i) => new JsonFields(value, `tokenizer.added_tokens[${i}]`).raw('id')) : [];
  const init = InitArguments.merge(files, listed.flatMap((token, i): (readonly [number, AddedToken])[] => (isId(ids[i]) ? [[Number(ids[i]), token]] : [])));
  const made = chosen.kind === 'class' ? chosen.made : undefined;
  const takesWhole = made === undefined || made.takesWhole === true;
  const pipeline: Pipeline = takesWhole
    ? { model: fields.object('model').all(), normalizer: partOf(fields, 'normalizer'), preTokenizer: partOf(fields, 'pre_tokenizer'), decoder: partOf(fields, 'decoder'), added: listed }
    : made.pipeline(init, sourceOf(fields, made));
  const backend = new Backend(init, pipeline, {
    tokens: handedOn(init, made),
    extras: made?.extras?.(init),
    addsBos: made?.addsBos,
    postProcessor: partOf(fields, 'post_processor'),
    padToken: fields.has('padding') ? fields.object('padding').optionalString('pad_token') : undefined,
  });
  made?.finish?.(backend, init);
  return { backend, init };
}

/** The pieces, merges and rules that a class takes out of a tokenizer.json. */
function sourceOf(fields: JsonFields, { kind }: TokenizerClass): VocabularySource {
  const model = fields.object('model');
  const vocabulary = model.raw('vocab');
  if (typeof vocabulary !== 'object' || vocabulary === null) throw new TokenizerFormatError('"tokenizer.model.vocab" is missing');
  const normalizer = fields.has('normalizer') ? fields.object('normalizer') : undefined;
  const steps = normalizer === undefined ? [] : normalizer.raw('type') === 'Sequence' ? normalizer.array('normalizers').map((step, i) => new JsonFields(step, `${normalizer.path}.normalizers[${i}]`)) : [normalizer];
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
  const part = (value: Part | undefined, path: string): JsonFields | undefined => value && new JsonFields(value, `tokenizer.${path}`);
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
