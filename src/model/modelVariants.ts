/** A file of a model's folder, named relative to it with `/`. */
export interface FolderFile {
  readonly name: string;
  readonly size: number;
}

/** What the weights of a model file are, as far as its name tells. */
export type Precision = 'full' | 'half' | 'int8' | 'q4' | 'q4f16' | 'bnb4' | 'unknown';

/** One way to open a model's folder: a file, or an encoder and a decoder that belong together. */
export interface ModelVariant {
  /** The file that stands for the variant: of a pair, the decoder's. */
  readonly name: string;
  /** All its .onnx files, the one above first. */
  readonly files: readonly string[];
  readonly isPair: boolean;
  readonly precision: Precision;
  /** Size of the files and of the weights files that are named after them. */
  readonly bytes: number;
}

/** The suffixes of the Hugging Face hub, in the order in which variants are offered. */
const precisions: readonly (readonly [suffix: RegExp, precision: Precision])[] = [
  [/[_.-](?:fp16|float16|half)$/, 'half'],
  [/[_.-](?:int8|uint8|quantized|q8)$/, 'int8'],
  [/[_.-]q4f16$/, 'q4f16'],
  [/[_.-](?:q4|int4)$/, 'q4'],
  [/[_.-]bnb4$/, 'bnb4'],
];
const order: readonly Precision[] = ['full', 'half', 'int8', 'q4f16', 'q4', 'bnb4', 'unknown'];

/** Names of whole models without a suffix. */
const plainName = /^(?:model|(?:en|de)coder(?:_model)?|decoder(?:_model)?_merged)$/;

/** Parts of a pipeline that read nothing by themselves, or repeat another file. */
const partName =
  /^(?:decoder_with_past(?:_model)?|embed_tokens|embed_images?|embeddings?(?:_model)?|vision(?:_encoder|_model)?|audio_encoder|speech(?:_encoder)?)(?![a-z])/;

/** The models that the files of a folder in the layout of the Hugging Face hub hold: as exported first, then the coarser, of one precision the largest first. */
export function modelVariants(files: readonly FolderFile[]): ModelVariant[] {
  const models = files.map(({ name }) => name).filter((name) => /\.onnx$/i.test(name));
  const whole = models.filter((name) => !partName.test(stemOf(name)));
  const candidates = whole.length > 0 ? whole : models;
  const encoders = new Map(candidates.flatMap((name) => (isEncoder(name) ? [[pairKey(name), name] as const] : [])));
  const paired = new Set<string>();
  const variants: ModelVariant[] = [];
  const add = (names: readonly string[]): void => {
    const bytes = files
      .filter((file) => names.some((name) => belongsTo(file.name, name)))
      .reduce((sum, { size }) => sum + size, 0);
    variants.push({ name: names[0], files: names, isPair: names.length > 1, precision: precisionOf(names[0]), bytes });
  };
  for (const name of candidates.filter(isDecoder)) {
    // A merged decoder holds what the plain one does.
    if (!isMerged(name) && candidates.includes(name.replace(/decoder(_model)?(?=[^/]*$)/, 'decoder$1_merged'))) {
      paired.add(name);
      continue;
    }
    const encoder = encoderOf(name, encoders);
    paired.add(name);
    if (encoder !== undefined) paired.add(encoder);
    add(encoder === undefined ? [name] : [name, encoder]);
  }
  // Encoders of other precisions than any decoder's are parts of pairs as well.
  const hasPairs = variants.some(({ isPair }) => isPair);
  for (const name of candidates) if (!paired.has(name) && !(hasPairs && isEncoder(name))) add([name]);
  return variants.sort(
    (a, b) =>
      order.indexOf(a.precision) - order.indexOf(b.precision) || b.bytes - a.bytes || (a.name < b.name ? -1 : 1),
  );
}

/** What a model file's name says of its weights. */
export function precisionOf(name: string): Precision {
  const stem = stemOf(name).toLowerCase();
  return precisions.find(([suffix]) => suffix.test(stem))?.[1] ?? (plainName.test(stem) ? 'full' : 'unknown');
}

/** The encoder that belongs to a decoder file: of the same precision, else the plain one. */
function encoderOf(decoder: string, encoders: ReadonlyMap<string, string>): string | undefined {
  return (
    encoders.get(pairKey(decoder)) ??
    encoders.get(pairKey(decoder.replace(/(decoder(?:_model)?(?:_merged)?)[^/]*$/, '$1.onnx')))
  );
}

function isEncoder(name: string): boolean {
  return /^encoder(?:_model)?(?![a-z])/.test(stemOf(name));
}

function isDecoder(name: string): boolean {
  return /^decoder(?:_model)?(?![a-z])/.test(stemOf(name));
}

function isMerged(name: string): boolean {
  return /^decoder(?:_model)?_merged/.test(stemOf(name));
}

/** Folder and suffix: the same for the two files of a pair. */
function pairKey(name: string): string {
  return name.replace(/(?:en|de)coder(_model)?(?:_merged)?(?![a-z])([^/]*)$/, '$1$2').toLowerCase();
}

/** Whether a file is a model's own or one of its weights files: `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`. */
function belongsTo(file: string, model: string): boolean {
  return file === model || file.startsWith(`${model}_data`) || file.startsWith(`${model}.data`);
}

function stemOf(name: string): string {
  return (name.split('/').pop() ?? name).replace(/\.onnx$/i, '');
}

/** The folder of a model file: the one above `onnx/`, where its tokenizer stands, else its own; `''` for a bare name. */
export function modelFolderOf(file: string): string {
  const parts = file.split('/').slice(0, -1);
  if (parts.at(-1) === 'onnx') parts.pop();
  return parts.join('/');
}
