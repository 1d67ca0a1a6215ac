import type { ModelAnalysis } from '../onnx/analyzeModel';
import { isFloatType } from '../onnx/dataType';
import { makeReport, type ExtractionReport } from '../onnx/report';
import type { FileAccess } from './fileAccess';
import { readModelFiles, type ModelFiles } from './modelFiles';
import type { ResolvedModel } from './modelFolder';

/** The files of a model, read and analysed: one, or an encoder and the decoder that reads its result. */
export interface ModelParts {
  readonly encoder: ModelFiles | undefined;
  readonly main: ModelFiles;
  /** Inputs of the decoder, each with the output of the encoder that it gets. */
  readonly bridges: ReadonlyMap<string, string>;
}

/** Reads the files that a model consists of. Throws what {@link readModelFiles} throws. */
export async function readModelParts(access: FileAccess, { modelPath, encoderPath }: Pick<ResolvedModel, 'modelPath' | 'encoderPath'>): Promise<ModelParts> {
  const main = await readModelFiles(access, modelPath);
  if (encoderPath === undefined) return { encoder: undefined, main, bridges: new Map() };
  const encoder = await readModelFiles(access, encoderPath);
  const bridges = bridge(encoder, main);
  // A decoder that reads no encoder's result is a model by itself.
  return bridges.size === 0 ? { encoder: undefined, main, bridges } : { encoder, main, bridges };
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
export function analysesOf({ encoder, main }: ModelParts): readonly ModelAnalysis[] {
  return encoder === undefined ? [main.analysis] : [encoder.analysis, main.analysis];
}

/** The extraction reports of a model's files, from their graphs alone. */
export function reportsOf({ encoder, main, bridges }: ModelParts): readonly ExtractionReport[] {
  const own = makeReport(main.analysis, new Set(bridges.keys()));
  return encoder === undefined ? [own] : [makeReport(encoder.analysis), own];
}
