import { tokenizerClasses } from './classes/tokenizerClasses';
import type { TokenizerClass } from './classes/tokenizerClass';
import {
  classAliases,
  classesOfTheirOwn,
  mistakenModelTypes,
  modelTypesByClass,
  typesWithoutConfiguration,
} from './referenceNames';

/** What a folder's files say of the class of its tokenizer. */
export interface ClassHints {
  /** `model_type` of config.json. */
  readonly modelType: string | undefined;
  /** `tokenizer_class` of tokenizer_config.json. */
  readonly settingsClass: string | undefined;
  /** `tokenizer_class` of config.json. */
  readonly modelClass: string | undefined;
  /** Whether tokenizer_config.json names a program of the folder's own (`auto_map`), which is never run. */
  readonly hasOwnProgram: boolean;
}

/**
 * The class that the reference library takes for a folder: one that puts the tokenizer together by itself, one that takes a
 * tokenizer.json as it stands (`generic`), or one that is a program (`program`), which nothing here does.
 */
export type ChosenClass =
  | { readonly kind: 'generic'; readonly name: string }
  | { readonly kind: 'class'; readonly name: string; readonly made: TokenizerClass }
  | { readonly kind: 'program'; readonly name: string };

const genericNames = new Set([
  'TokenizersBackend',
  'PreTrainedTokenizer',
  'PythonBackend',
  'BloomTokenizer',
  'ParakeetTokenizer',
]);
const generic: ChosenClass = { kind: 'generic', name: 'TokenizersBackend' };
const aliases = new Map(classAliases.split(' ').map((pair) => pair.split('=') as [string, string]));
const programs = new Set(classesOfTheirOwn.split(' '));
const mistaken = new Set(mistakenModelTypes.split(' '));
const withoutConfiguration = new Set(typesWithoutConfiguration.split(' '));
const classOfType = new Map(
  Object.entries(modelTypesByClass).flatMap(([name, types]) => types.split(' ').map((type) => [type, name] as const)),
);

const withoutFast = (name: string): string => name.replace(/Fast$/, '');

/** The class of a name, undefined where the reference library has none. */
function classOf(name: string): ChosenClass | undefined {
  const plain = withoutFast(name);
  if (genericNames.has(plain)) return generic;
  const known = aliases.get(plain) ?? plain;
  if (genericNames.has(known)) return generic;
  const made = tokenizerClasses.get(known);
  if (made !== undefined) return { kind: 'class', name: known, made };
  return programs.has(known) ? { kind: 'program', name: known } : undefined;
}

/** Chooses the class as the reference library's `AutoTokenizer` does, which runs no program of a folder. */
export function chooseClass({ modelType, settingsClass, modelClass, hasOwnProgram }: ClassHints): ChosenClass {
  const registered = modelType === undefined ? undefined : classOfType.get(modelType);
  const named = settingsClass ?? modelClass;
  if (
    !hasOwnProgram &&
    named !== undefined &&
    modelType !== undefined &&
    registered !== undefined &&
    registered !== withoutFast(named)
  ) {
    const found =
      genericNames.has(registered) && registered !== 'ParakeetTokenizer'
        ? generic
        : classOf(mistaken.has(modelType) ? registered : named);
    return found ?? generic;
  }
  if (named !== undefined) return classOf(named) ?? generic;
  if (modelType !== undefined && withoutConfiguration.has(modelType)) return generic;
  return (registered === undefined ? undefined : classOf(registered)) ?? generic;
}
