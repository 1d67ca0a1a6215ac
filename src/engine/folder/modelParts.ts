import type { ModelAnalysis } from '../../onnx/find/analyzeModel';
import { isFloatType } from '../../onnx/file/dataType';
import { readsOf } from '../../onnx/inputs/reads';
import { makeReport, type ExtractionReport } from '../../onnx/report/report';
import type { FileAccess } from '../files/fileAccess';
import { readModelFiles, type ModelFiles } from '../files/modelFiles';
import type { ResolvedModel } from './modelFolder';

/** The files of a model, read and analysed: one, an encoder and the decoder that reads its result, or what makes embeddings and the decoder that takes them. */
export interface ModelParts {
  readonly encoder: ModelFiles | undefined;
  /** What makes embeddings of ids for the decoder. */
  readonly embedding: ModelFiles | undefined;
  readonly main: ModelFiles;
  /** Inputs of the decoder, each with the output of the encoder, or of what makes embeddings, that it gets. */
  readonly bridges: ReadonlyMap<string, string>;
}

/** Reads the files that a model consists of. Throws what {@link readModelFiles} throws. */
export async function readModelParts(
  access: FileAccess,
  { modelPath, encoderPath, embeddingPath }: Pick<ResolvedModel, 'modelPath' | 'encoderPath' | 'embeddingPath'>,
): Promise<ModelParts> {
  const main = await readModelFiles(access, modelPath);
  const alone: ModelParts = { encoder: undefined, embedding: undefined, main, bridges: new Map() };
  if (encoderPath === undefined) {
    if (embeddingPath === undefined || !takesEmbeddings(main)) return alone;
    const embedding = await readModelFiles(access, embeddingPath);
    const given = bridgeEmbeddings(embedding, main);
    return given.size === 0 ? alone : { ...alone, embedding, bridges: given };
  }
  const encoder = await readModelFiles(access, encoderPath);
  const bridges = bridge(encoder, main);
  // A decoder that reads no encoder's result is a model by itself.
  return bridges.size === 0 ? alone : { ...alone, encoder, bridges };
}

/** The name of the input that embeddings of a text stand in for its ids. */
const embeddings = /^(?:inputs?_embeds?|inputs?_embeddings?)$/i;

/** Whether a decoder takes embeddings in the place of ids. */
export function takesEmbeddings({ analysis: { index } }: ModelFiles): boolean {
  return (
    readsOf(index) === 'neither' &&
    index.inputs.some(({ name, dataType }) => embeddings.test(name) && isFloatType(dataType))
  );
}

/** Which of the outputs of what makes embeddings each of the decoder's inputs gets: the one of its name; the embeddings themselves else the only one. */
function bridgeEmbeddings(embedding: ModelFiles, decoder: ModelFiles): ReadonlyMap<string, string> {
  const outputs = embedding.analysis.index.graph.outputs.map(({ name }) => name);
  return new Map(
    decoder.analysis.index.inputs.flatMap(({ name, dataType }): [string, string][] => {
      if (!isFloatType(dataType)) return [];
      const same =
        outputs.find((output) => output === name) ??
        (embeddings.test(name) ? (outputs.find((output) => /embed|hidden/i.test(output)) ?? outputs[0]) : undefined);
      return same === undefined ? [] : [[name, same]];
    }),
  );
}

/** Which of the encoder's outputs each of the decoder's inputs gets: the one of its name, else its hidden states. */
function bridge(encoder: ModelFiles, decoder: ModelFiles): ReadonlyMap<string, string> {
  const { outputs } = encoder.analysis.index.graph;
  const hidden = outputs.find((output) => /hidden_state|encoder_output/i.test(output.name)) ?? outputs[0];
  const bridges = new Map<string, string>();
  for (const { name, dataType } of decoder.analysis.index.inputs) {
    if (!isFloatType(dataType) || /past|cache|mask/i.test(name)) continue;
    const same = outputs.find((output) => output.name === name);
    if (same !== undefined) bridges.set(name, same.name);
    else if (hidden !== undefined && /hidden|encoder/i.test(name)) bridges.set(name, hidden.name);
  }
  return bridges;
}

/** The analyses of a model's files, in the order in which they run. */
export function analysesOf({ encoder, embedding, main }: ModelParts): readonly ModelAnalysis[] {
  return [encoder, embedding, main].flatMap((part) => part?.analysis ?? []);
}

/** The extraction reports of a model's files, from their graphs alone. */
export function reportsOf({ encoder, main, bridges }: ModelParts): readonly ExtractionReport[] {
  const own = makeReport(main.analysis, new Set(bridges.keys()));
  return encoder === undefined ? [own] : [makeReport(encoder.analysis), own];
}
