import { ExplorerError } from '../../base/errors';
import { signatureOf, type ModelInput } from '../../onnx/inputs/inputs';
import { fedOf, predictsHow, type PredictedRun, type PredictionParts } from '../predict/predictedFile';

/**
 * What the file with the logits is fed for another text, or picture, so that its run stands beside that of the first: of an encoder–decoder model what is written
 * stays that of the first. Throws `noEffects` where the tokens of both do not stand one beside the other.
 */
export function otherInputs(
  parts: PredictionParts,
  run: PredictedRun,
  other: PredictedRun | undefined,
): readonly ModelInput[] {
  const refuse = (reason: string): ExplorerError => new ExplorerError('noEffects', [parts.name, reason]);
  if (other === undefined) throw refuse('no other text was read whose activations could be put into this run');
  const [own, others] = [run, other].map(({ streams: [source] }) => source.tokens.length);
  if (own !== others)
    throw refuse(
      run.streams[0].grid === undefined
        ? `this text has ${own} tokens and the other ${others}, which must stand one beside the other: put a span of as many tokens in the place of one`
        : `this picture is ${own} tokens and the other ${others}, which must stand one beside the other: take one of the same size`,
    );
  const [{ inputs }, read] = [fedOf(parts, run), fedOf(parts, other)];
  if (predictsHow(parts, run).stream === 0) return read.inputs;
  const { roles } = signatureOf(parts.session.analysis.index);
  const hasBoth = [...roles.values()].includes('targetIds');
  // The source is what the encoder reads, or has made of it; texts of as many tokens have the same masks.
  const isOfSource = ({ name, type, dims }: ModelInput): boolean =>
    (hasBoth && roles.get(name) === 'ids') || (/^float/.test(type) && dims.length >= 3);
  return inputs.map((input) =>
    isOfSource(input) ? (read.inputs.find(({ name }) => name === input.name) ?? input) : input,
  );
}
