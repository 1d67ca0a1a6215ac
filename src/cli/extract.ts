import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, line, type TerminalText } from '../base/terminalText';
import { AttentionSession, type LayerWeights } from '../engine/session/attentionSession';
import { SiteParts, type LayerParts } from '../engine/session/siteParts';
import type { ReadPositions } from '../engine/weights/extents';
import type { SitePart } from '../model/sitePart';
import { modelAccess } from '../engine/files/modelAccess';
import { readModelFiles } from '../engine/files/modelFiles';
import { resolveModel } from '../engine/folder/modelFolder';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import { nodeRuntimes } from '../engine/runtime/nodeRuntimes.node';
import { loadOnBackend, loadPortably } from '../engine/runtime/loadOnBackend';
import { maxReason, Runtimes, type ChosenRuntime } from '../engine/runtime/runtimes';
import { noticeText, type Backend } from '../model/modelInfo';
import type { EngineOptions } from '../protocol';
import type { GraphIndex } from '../onnx/graph/graphIndex';
import type { PlacedSite } from '../onnx/name/describeSites';
import { planInputs, type InputRole, type ModelInput } from '../onnx/inputs/inputs';
import { positionsFirst } from '../onnx/inputs/positionsFirst';
import { counted } from './counted';
import { floatBytes, toModelInputs } from './storedInputs';
import { readSafetensors, writeSafetensors, type StoredTensor } from './safetensors';
import { modelPathOf } from './bundledModel';
import { placedLayers } from './placedTensors';
import { commandFiles } from './commandFiles';
import { checkWritable } from '../base/wholeFile.node';
import { writeWhole } from './writeWhole';

/** What `extract` is asked. */
export interface ExtractOptions {
  readonly model: string;
  /** A safetensors file with tensors named `in.<input>`. */
  readonly feeds: string;
  /** The safetensors file to write. */
  readonly out: string;
  /** Undefined: WebAssembly, which is the same everywhere, or the native runtime where that cannot load the model. */
  readonly backend: EngineOptions['backend'] | undefined;
  /** Whether the model is run layer by layer, where it can be cut. */
  readonly isStaged?: boolean;
  /** What is written of each layer beside its weights. */
  readonly also?: readonly SitePart[];
}

/** Runs a model on given tensors and writes its attention and its first output; resolves to what to print. */
export async function extract(
  options: ExtractOptions,
  loaders: ConstructorParameters<typeof Runtimes>[0] = nodeRuntimes,
): Promise<TerminalText> {
  const { feeds, out, backend } = options;
  const stored = readSafetensors(await nodeFileAccess.read(resolve(feeds), 'feeds'), feeds);
  await checkWritable(out);
  const opened = await openForTensors(options, stored, loaders);
  const { files, session, parts } = opened;
  const fed = fedOf(files.analysis.index, session, stored);
  const { given, pixels } = fed;
  const unchanging = pixels === undefined ? new Set<PlacedSite>() : await session.provePicture();
  if (pixels === undefined) await session.provePositions(readPositions(files.analysis.index, given, fed.roles));
  const result = await session.run(fed.inputs, { batch: fed.batch, hasWindows: true });
  const tensors = new Map<string, StoredTensor>();
  const placed = await placedLayers(session, result, {
    inputs: fed.inputs,
    pixels,
    unchanging,
    text: given.find((input) => fed.roles.get(input.name) === 'ids' && input.dims.length === 2),
    isAlone: fed.isAlone,
    length: fed.length,
  });
  for (const { component, layer, tensor } of placed.layers) tensors.set(`attention.${component}.${layer}`, tensor);
  const found =
    (await parts?.read(result.layers, result.extras ?? new Map(), session.isCoarse)) ??
    new Map<LayerWeights, LayerParts>();
  for (const [{ component, layer }, { parts: own }] of found)
    for (const [part, tensor] of own)
      if (typeof tensor !== 'string')
        tensors.set(`${part}.${component}.${layer}`, {
          dtype: 'F32',
          shape: [...tensor.shape],
          data: floatBytes(tensor.data),
        });
  const [first] = result.outputs.values();
  if (first !== undefined && first.data instanceof Float32Array)
    tensors.set('output', { dtype: 'F32', shape: first.dims, data: floatBytes(first.data) });
  await writeWhole(out, writeSafetensors(tensors));
  await parts?.release();
  await session.release();
  const { failed } = placed;
  if (placed.layers.length === 0)
    throw new ExplorerError('checksFailed', [
      files.name,
      failed.map(({ path, reason }) => `${path}: ${reason}`).join('; '),
    ]);
  return joinTerminal([
    line`${placed.layers.length} attention ${placed.layers.length === 1 ? line`layer` : line`layers`} written to ${plain(out)}`,
    ...stageLines(session.report.stages),
    ...backendLines(opened, backend),
    ...session.notices.map((notice) => line`${noticeText(notice)}`),
    ...placed.left.map(({ path, reason }) => line`Written as it is computed: ${plain(path)}: ${plain(reason)}`),
    ...failed.map(({ path, reason }) => line`Not written: ${plain(path)}: ${plain(reason)}`),
    ...partLines(found),
  ]);
}

/** A model that gives tensors. */
interface OpenedModel {
  readonly files: Awaited<ReturnType<typeof readModelFiles>>;
  readonly session: AttentionSession;
  readonly chosen: ChosenRuntime;
  /** What gives of each layer what is written beside its weights; undefined where nothing is. */
  readonly parts: SiteParts | undefined;
  /** Backends that could not load it, each with the reason. */
  readonly refused: ReadonlyMap<Backend, string>;
}

/** Loads a model on the backend that is asked for, or where it can be loaded. Throws what loading throws. */
async function openForTensors(
  { model, backend, isStaged = false, also = [] }: ExtractOptions,
  stored: ReadonlyMap<string, StoredTensor>,
  loaders: ConstructorParameters<typeof Runtimes>[0],
): Promise<OpenedModel> {
  const path = modelPathOf(model);
  const access = await modelAccess(commandFiles, { path });
  const { modelPath } = await resolveModel(access, path);
  const load = async (choosing: Promise<ChosenRuntime>): Promise<Omit<OpenedModel, 'refused'>> => {
    const files = await readModelFiles(access, modelPath, (input) => (stored.get(`in.${input}`)?.data[0] ?? 0) !== 0);
    const chosen = await choosing;
    const { runtime } = chosen;
    const parts =
      also.length === 0 ? undefined : new SiteParts({ ort: runtime.ort, files, build: runtime.build }, also);
    const session = await AttentionSession.create({
      ort: runtime.ort,
      runtime,
      files,
      wantOutputs: true,
      isStaged,
      ...(parts === undefined ? {} : { extras: parts.extras }),
    });
    return { files, chosen, session, parts };
  };
  const runtimes = new Runtimes(loaders, availableParallelism());
  const refused = new Map<Backend, string>();
  const opened =
    backend === undefined
      ? await loadPortably(runtimes, 1, load, refused)
      : await loadOnBackend(runtimes, { backend, threads: 1 }, load, refused);
  return { ...opened, refused };
}

/** What a model is fed: tensors that were given, and those that can be made of them. */
interface Fed {
  readonly given: readonly ModelInput[];
  /** Those that were given, and those that were made. */
  readonly inputs: readonly ModelInput[];
  readonly roles: ReadonlyMap<string, InputRole>;
  /** The pictures that were given. */
  readonly pixels: ModelInput | undefined;
  readonly batch: number;
  /** Positions of each item. */
  readonly length: number;
  /** Whether it is one item. */
  readonly isAlone: boolean;
}

/** Throws `invalidArgument`, and what making inputs throws. */
function fedOf(index: GraphIndex, session: AttentionSession, stored: ReadonlyMap<string, StoredTensor>): Fed {
  const given = toModelInputs(index, stored);
  checkNames(index, stored, given);
  const { roles } = planInputs(index, session.inputNames, new Set(session.inputNames));
  const main =
    given.find((input) => roles.get(input.name) === 'ids' || roles.get(input.name) === 'targetIds') ??
    given.find((input) => input.dims.length > 2) ??
    given.find((input) => input.dims.length > 1);
  const isTurned = main !== undefined && positionsFirst(index).has(main.name);
  const [batch = 1, length = 0] = (isTurned ? main.dims.toReversed() : main?.dims) ?? [];
  const made = planInputs(index, session.inputNames, new Set(given.map((input) => input.name))).make({
    ids: new Int32Array(length),
  });
  return {
    given,
    inputs: [...given, ...made.inputs],
    roles,
    pixels: given.find((input) => roles.get(input.name) === 'pixels' && input.dims.length === 4),
    batch,
    length,
    // Rows of a matrix of numbers are positions of one item.
    isAlone: batch === 1 || (main?.dims.length === 2 && main.type === 'float32'),
  };
}

/** Whether it was run layer by layer, where that was asked for. */
function stageLines(stages: AttentionSession['report']['stages']): readonly TerminalText[] {
  if (stages === undefined) return [];
  return [
    stages.failure === ''
      ? line`Run in ${counted(stages.count, 'stage')}`
      : line`Run as a whole, not layer by layer: ${plain(stages.failure)}`,
  ];
}

/** Why it runs on another backend than was asked for; where none was, what could not load the model. */
function backendLines(
  { chosen, refused }: Pick<OpenedModel, 'chosen' | 'refused'>,
  asked: ExtractOptions['backend'],
): readonly TerminalText[] {
  const why =
    asked === undefined || asked === 'auto'
      ? [...refused.values()].join(' ')
      : chosen.runtime.backend === asked
        ? ''
        : chosen.reason;
  return why === '' ? [] : [line`${plain(why, maxReason)}`];
}

/** Parts that could not be had, and how exact norms are, each for all layers of which it holds. */
function partLines(read: ReadonlyMap<LayerWeights, LayerParts>): TerminalText[] {
  const missing = new Map<string, { readonly part: SitePart; readonly reason: string; count: number }>();
  let [numExact, numCoarse, coarsest] = [0, 0, 0];
  for (const { parts, proof } of read.values()) {
    for (const [part, tensor] of parts) {
      if (typeof tensor !== 'string') continue;
      const key = `${part}: ${tensor}`;
      const known = missing.get(key) ?? { part, reason: tensor, count: 0 };
      missing.set(key, known);
      known.count++;
    }
    if (proof === undefined || 'impossible' in proof) continue;
    if (proof.isExact) numExact++;
    else {
      numCoarse++;
      coarsest = Math.max(coarsest, proof.difference);
    }
  }
  const layers = (count: number): TerminalText => counted(count, 'layer');
  return [
    ...(numExact > 0
      ? [line`Norms of ${layers(numExact)} exact: what the heads write adds up to what their projection gives`]
      : []),
    ...(numCoarse > 0
      ? [
          line`Norms of ${layers(numCoarse)} approximate: the model rounds on the way, and what the heads write adds up within ${plain(coarsest.toPrecision(1))} of the largest number`,
        ]
      : []),
    ...[...missing.values()].map(
      ({ part, reason, count }) => line`Not written: ${plain(part)} of ${layers(count)}: ${plain(reason)}`,
    ),
  ];
}

/** The positions of the texts that a model is given, [item, position] or the other way round. */
function readPositions(
  index: GraphIndex,
  given: readonly ModelInput[],
  roles: ReadonlyMap<string, InputRole>,
): ReadPositions {
  const lengthOf = (role: InputRole): number | undefined => {
    const input = given.find(({ name, dims }) => roles.get(name) === role && dims.length === 2);
    return input?.dims.at(positionsFirst(index).has(input.name) ? 0 : 1);
  };
  const [numPositions, numTargetPositions] = [lengthOf('ids'), lengthOf('targetIds')];
  return {
    ...(numPositions === undefined ? {} : { numPositions }),
    ...(numTargetPositions === undefined ? {} : { numTargetPositions }),
  };
}

/** Throws `invalidArgument` where a tensor is for an input that the model does not have, as a misspelt name is, or none is for one that it has. */
function checkNames(
  { inputs }: GraphIndex,
  stored: ReadonlyMap<string, StoredTensor>,
  given: readonly ModelInput[],
): void {
  const names = inputs.map(({ name }) => name);
  const unknown = [...stored.keys()].find((key) => key.startsWith('in.') && !names.includes(key.slice(3)));
  if (unknown !== undefined)
    throw new ExplorerError('invalidArgument', [unknown, `the model has no such input: it has ${names.join(', ')}`]);
  if (given.length === 0)
    throw new ExplorerError('invalidArgument', ['--feeds', `it has no tensor for an input, such as in.${names[0]}`]);
}
