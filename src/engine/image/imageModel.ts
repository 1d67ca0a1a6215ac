import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import type { ComponentInfo } from '../../model/head';
import type { LoadedModelInfo, ModelAnswer, Notice } from '../../model/modelInfo';
import type { Predictions } from '../../model/predictions';
import type { TokenStream } from '../../model/token';
import { itemsOf, planInputs, signatureOf, type ModelInput } from '../../onnx/inputs/inputs';
import { patchEmbedding, type PatchEmbedding } from '../../onnx/inputs/patchEmbedding';
import { readsOf } from '../../onnx/inputs/reads';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ExtractionReport } from '../../onnx/report/report';
import type { InputView, ModelSpec, ReportView } from '../../protocol';
import type { DrawnCell } from '../how/cellRead';
import { CellRuns } from '../how/cellRuns';
import type { How } from '../../model/how/how';
import { AttentionSession, type LayerWeights } from '../session/attentionSession';
import { noDeadlines, type Deadlines } from '../limits/deadlines';
import type { HeldLayer } from '../weights/heldLayer';
import type { FileAccess } from '../files/fileAccess';
import { describeComponents, maxAttentionBytes, storedLayers } from '../session/layerInfo';
import type { FedFile } from '../session/fedInput';
import { layerByLayer, unwatched } from '../session/layerSteps';
import { planStages } from '../session/staging';
import type { ReadingSteps } from '../text/textModel';
import { inputAccount, inputView, type InputAccount } from '../report/inputAccount';
import { activationBytes, checkBytes, usualLimits, type MemoryLimits } from '../long/memoryPlan';
import { isSameModel } from '../folder/isSameModel';
import type { Loading } from '../folder/loading';
import { modelAccess, type ModelAccess } from '../files/modelAccess';
import { takesEmbeddings } from '../folder/modelParts';
import { readModelFiles, type ModelFiles } from '../files/modelFiles';
import { configNumber } from '../folder/configNumber';
import { resolveModel, type ResolvedModel } from '../folder/modelFolder';
import { WeighRuns } from '../session/weighRuns';
import { noAttention } from '../session/noAttention';
import type { Placements } from '../session/positionRun';
import type { SitePlaces } from '../weights/windowPlaces';
import { reportView } from '../report/reportView';
import { maxReason, type ChosenRuntime } from '../runtime/runtimes';
import { decodeImage } from './decodeImage';
import { EffectRuns } from '../effects/effectRuns';
import { readAnswers } from '../predict/labelAnswers';
import type { PredictedRun, PredictionParts } from '../predict/predictedFile';
import { PredictionRuns, type MaskedPlaces } from '../predict/predictionRuns';
import { settingsFacts, stepFacts } from './pictureFacts';
import { fitGrid, gridCandidates, imageStream, type GridCandidate } from './imageTokens';
import { layoutOf, pixelInput, pixelMask, shapingNotices, type PixelLayout } from './pixelInput';
import type { PixelSize } from './raster';
import { assumedPreprocessing, readPreprocessing, type Preprocessing } from './readPreprocessing';
import { placeLayers, type PlacedLayers } from './placedLayers';
import { shapePicture, type ShapedPicture } from './shapePicture';
import { besideText } from './visionPart';

/** What a run of a picture gives. */
export interface ImageRunResult {
  /** One for each grid of patches. */
  readonly streams: readonly TokenStream[];
  readonly layers: readonly HeldLayer[];
  readonly components: readonly ComponentInfo[];
  readonly notices: readonly Notice[];
  readonly answers: readonly ModelAnswer[];
}

/** A picture made ready for a model. */
export interface PreparedPicture {
  readonly picture: ShapedPicture;
  readonly notices: readonly Notice[];
  /** The settings, their file, and what was done. */
  readonly facts: readonly Notice[];
}

/** Sides of pictures that models without any settings are mostly made for. */
const usualSide = 224;

/** What a model of pictures is made of. */
interface ImageModelParts {
  readonly spec: ModelSpec;
  readonly info: LoadedModelInfo;
  readonly session: AttentionSession;
  readonly resolved: ResolvedModel & Pick<ModelAccess, 'cachedFiles' | 'readFiles'>;
  readonly layout: PixelLayout;
  readonly embedding: PatchEmbedding | undefined;
  /** Undefined where the model comes without settings for it. */
  readonly preprocessing: Preprocessing | undefined;
  /** What it is fed beside pixels. */
  makeOthers(this: void, picture: ShapedPicture): readonly ModelInput[];
}

/** A model of pictures, ready to read them. */
export class ImageModel {
  readonly info: LoadedModelInfo;
  readonly #parts: ImageModelParts;
  readonly #session: AttentionSession;
  #cells: CellRuns | undefined;
  readonly #weighs: WeighRuns;
  /** What its heads do to the labels that it predicts. */
  readonly effects: EffectRuns;
  readonly #predictions: PredictionRuns;
  #report: ExtractionReport;
  #fed: readonly FedFile[] = [];
  /** How pictures are made ready, and once there was one, how that was. */
  #facts: readonly Notice[];
  /** Sites of which a run of other sizes tells that they are over no patches. */
  #unchanging: ReadonlySet<PlacedSite> = new Set();
  /** Where layers stand, for pictures of one size. */
  #placements: { readonly size: string; readonly found: Placements } | undefined;
  /** Why the first layer that could not be placed was not. */
  #unplaced: string | undefined;

  private constructor(parts: ImageModelParts) {
    const { info, session, resolved, preprocessing } = parts;
    this.info = { ...info, readFiles: inputAccount(resolved.readFiles, resolved, []).files.map((file) => plain(file)) };
    this.#parts = parts;
    this.#session = session;
    this.#report = session.report;
    this.#weighs = new WeighRuns([session]);
    const { name } = resolved;
    const predicting: PredictionParts = {
      name,
      session,
      tokenizer: {
        use: () => {
          throw new ExplorerError('noPredictions', [name, 'it reads pictures, and predicts no tokens']);
        },
      },
      vocabularySize: 0,
      config: resolved.config,
      maskToken: undefined,
    };
    this.effects = new EffectRuns(predicting);
    this.#predictions = new PredictionRuns(predicting);
    this.#facts = preprocessing === undefined ? [] : settingsFacts(preprocessing);
  }

  /** Finds, reads and prepares a model. Throws `modelReadsText` and what its settings lack before anything is loaded, and the errors of reading its files and its graph. */
  static async load(
    choosing: ChosenRuntime | PromiseLike<ChosenRuntime>,
    from: FileAccess,
    spec: ModelSpec,
    { onProgress = () => {}, signal, memory: limits = usualLimits, staging = 'none' }: Omit<Loading, 'deadlines'> = {},
  ): Promise<ImageModel> {
    onProgress({ stage: 'readModel' });
    const access = await modelAccess(from, spec);
    const resolved = await resolveModel(access, spec.path);
    const files = await readModelFiles(access, resolved.modelPath);
    signal?.throwIfAborted();
    const { index, sites } = files.analysis;
    if (takesEmbeddings(files)) throw besideText(resolved);
    if (readsOf(index) === 'text') throw new ExplorerError('modelReadsText', [resolved.name]);
    const names = index.inputs.map((input) => input.name);
    const { roles } = signatureOf(index);
    const byPicture = new Set(names.filter((name) => roles.get(name) === 'pixels' || roles.get(name) === 'pixelMask'));
    const pixels = index.inputs.find((input) => roles.get(input.name) === 'pixels');
    const foreign = names.find((name) => roles.get(name) === 'ids' || roles.get(name) === 'targetIds');
    if (foreign !== undefined) throw new ExplorerError('inputNotMade', [foreign, 'text beside the picture']);
    const plan = planInputs(index, names, byPicture);
    if (pixels === undefined) throw new ExplorerError('modelReadsText', [resolved.name]);
    if (sites.length === 0) throw noAttention(resolved.name, files.analysis);
    const embedding = patchEmbedding(index, pixels.name);
    const layout = layoutOf(pixels, embedding);
    const preprocessing =
      resolved.preprocessorConfig === undefined
        ? undefined
        : readPreprocessing(resolved.preprocessorConfig.settings, resolved.name, {
            file: resolved.preprocessorConfig.file,
            modelType: resolved.config['model_type'],
          });
    // What the file fixes is known before anything is loaded.
    const checkMemory = (size: PixelSize): void =>
      checkPicture(resolved.name, size, {
        files,
        layout,
        candidates: gridCandidates(embedding, resolved.config, size),
        limits,
      });
    checkMemory({ width: layout.width ?? 1, height: layout.height ?? 1 });
    onProgress({ stage: 'loadModel' });
    const { runtime, reason } = await choosing;
    const session = await AttentionSession.create({
      ort: runtime.ort,
      runtime,
      files,
      wantOutputs: true,
      numItems: itemsOf(pixels),
      ...planStages(runtime, index, staging),
    });
    const info: LoadedModelInfo = {
      name: plain(resolved.name),
      path: resolved.modelPath,
      backend: runtime.backend,
      backendReason: plain(reason, maxReason),
      numThreads: runtime.numThreads,
      contextLength: undefined,
      vocabularySize: undefined,
      reads: 'image',
    };
    const masks = index.inputs.filter((input) => roles.get(input.name) === 'pixelMask');
    return new ImageModel({
      spec,
      info,
      session,
      resolved: { ...resolved, cachedFiles: access.cachedFiles, readFiles: access.readFiles },
      layout,
      embedding,
      preprocessing,
      makeOthers: (picture) => {
        checkMemory(picture);
        return [...plan.make({ ids: [] }).inputs, ...masks.map((mask) => pixelMask(mask, picture))];
      },
    });
  }

  /** Whether this is the model that a specification asks for. */
  isOf(spec: ModelSpec): boolean {
    return isSameModel(this.#parts.spec, spec);
  }

  /** Decodes a picture and brings it into the model's size. Throws `imageUnreadable`, `imageTooLarge`, `tookTooLong` or `modelUnsupported`. */
  async prepare(bytes: Uint8Array, name: string, deadlines: Deadlines = noDeadlines): Promise<PreparedPicture> {
    const decoded = await decodeImage(bytes, name, deadlines);
    const steps = this.#parts.preprocessing;
    const shaped = deadlines.run('preparePicture', decoded.width * decoded.height, () =>
      shapePicture(decoded, steps ?? assumedPreprocessing(this.#ownSize(decoded)), name),
    );
    const { width, height } = this.#parts.layout;
    if ((width ?? shaped.width) !== shaped.width || (height ?? shaped.height) !== shaped.height)
      throw new ExplorerError('modelUnsupported', [
        this.info.name,
        `it takes pictures of ${width ?? 'any'} × ${height ?? 'any'} pixels, and ${steps === undefined ? 'this one becomes' : `its ${steps.file} makes them`} ${shaped.width} × ${shaped.height}`,
      ]);
    const notices: Notice[] = [...this.#parts.resolved.notices, ...this.#session.notices, ...decoded.notices];
    if (steps === undefined) notices.push({ code: 'pictureAssumed', args: [shaped.width, shaped.height] });
    else notices.push(...shapingNotices(steps, decoded));
    const own = steps ?? assumedPreprocessing({ width: shaped.width, height: shaped.height });
    this.#facts = [...settingsFacts(own), ...stepFacts(own, decoded)];
    return { picture: shaped, notices, facts: this.#facts };
  }

  /** Reads a prepared picture and gives the attention of every layer over its patches. Throws `imageNoGrid`, `outOfMemory` or `checksFailed`. */
  async run(picture: ShapedPicture, steps: ReadingSteps = unwatched): Promise<ImageRunResult> {
    const { config } = this.#parts.resolved;
    const candidates = gridCandidates(this.#parts.embedding, config, picture, this.#isLine());
    const others = this.#parts.makeOthers(picture);
    const inputs = [pixelInput(picture, this.#parts.preprocessing, this.#parts.layout), ...others];
    await this.#checkMemory(candidates, inputs);
    const { isChannelLast } = this.#parts.layout;
    this.#fed = [{ file: this.#session.fileName, inputs, placedBy: { input: inputs[0].name, isChannelLast } }];
    this.#unchanging = await this.#session.provePicture();
    let growing: PlacedLayers | undefined;
    const onLayers = (made: readonly LayerWeights[]): void => {
      // Layers within windows are put in their places when all are there.
      const there = made.filter(({ isComing }) => isComing !== true);
      const first = growing ?? this.#plainly(there, candidates, true);
      if (first === undefined || !there.every((layer) => this.#isOver(layer, first.streams[0].tokens.length))) return;
      growing = first;
      const components = describeComponents(made, first.streamsOf);
      steps.onGrowth?.({
        streams: first.streams,
        layers: storedLayers(made, components),
        components,
        notices: notesOnStride(first.streams, candidates),
      });
    };
    const { layers, failed, report, outputs } = await this.#session.run(inputs, {
      hasWindows: true,
      ...layerByLayer(steps, this.#session.analysis.sites, onLayers),
    });
    this.#report = report;
    const details = failed.map(({ path, reason }) => `${path}: ${reason}`).join('\n');
    if (layers.length === 0)
      throw new ExplorerError('checksFailed', [this.info.name, failed[0]?.reason ?? 'nothing came out'], { details });
    const drawn =
      this.#plainly(layers, candidates, true, growing?.streams[0]) ??
      (await this.#placed(layers, picture, inputs)) ??
      this.#plainly(layers, candidates, false);
    if (drawn === undefined)
      throw new ExplorerError('imageNoGrid', [this.info.name, this.#reasonWithoutGrid(layers, candidates)]);
    const notices = [...failed, ...drawn.failed].map(({ path, reason }): Notice => ({
      code: 'siteNotDrawn',
      args: [path, reason],
    }));
    notices.push(...notesOnStride(drawn.streams, candidates));
    if (drawn.paddingShare > 0.005)
      notices.push({ code: 'edgePaddingRead', args: [Math.round(drawn.paddingShare * 100)] });
    const components = describeComponents(drawn.layers, drawn.streamsOf);
    return {
      streams: drawn.streams,
      layers: storedLayers(drawn.layers, components),
      components,
      notices,
      answers: readAnswers(outputs, config),
    };
  }

  /** The extraction report, with the checks of the latest run. */
  report(): ReportView {
    return reportView(this.info.name, [this.#report], this.#parts.resolved, {
      account: this.#account(),
      notices: [...this.#parts.resolved.notices, ...this.#facts],
    });
  }

  /** What it was fed in its latest run. Throws `nothingRead` before one. */
  input(): InputView {
    return inputView(this.info, this.#fed, this.#account());
  }

  /** What its file was fed in the latest run. */
  get fed(): readonly FedFile[] {
    return this.#fed;
  }

  /** In a clause, why tokens have no surprisal: pictures have none. */
  readonly lackOfSurprisal = 'it reads pictures, and predicts no tokens';

  /** What it says of the picture of a run: its labels. Throws `noPredictions`, `invalidArgument` where something is to be masked, and what a run throws. */
  predict(run: PredictedRun, masked?: MaskedPlaces): Promise<Predictions> {
    return this.#predictions.predict(run, masked);
  }

  /** How a cell came about, of a run that was fed these inputs; see {@link CellRuns.how}. */
  how(cell: DrawnCell, fed: readonly FedFile[]): Promise<How> {
    return (this.#cells ??= new CellRuns([this.#session])).how(cell, fed);
  }

  /** Weighs what its runs have read. */
  get weighs(): WeighRuns {
    return this.#weighs;
  }

  /** Frees its sessions. */
  async release(): Promise<void> {
    await this.#weighs.release();
    await this.effects.release();
    await this.#predictions.release();
    await this.#cells?.release();
    await this.#session.release();
  }

  #account(): InputAccount {
    return inputAccount(this.#parts.resolved.readFiles, this.#parts.resolved, [this.#session.analysis]);
  }

  /** Whether it reads lines of text, or whatever else is as high as it is and as wide as it likes. */
  #isLine(): boolean {
    return this.#parts.layout.height !== undefined && this.#parts.layout.width === undefined;
  }

  /** The size that the file or its settings state, where nothing says how pictures are made; a width that is free keeps the aspect. */
  #ownSize(decoded: PixelSize): PixelSize {
    const { config } = this.#parts.resolved;
    const side = configNumber(config, ['image_size', 'img_size', 'input_size']) ?? usualSide;
    const { width, height } = this.#parts.layout;
    if (height !== undefined && width === undefined)
      return { width: Math.max(1, Math.round((decoded.width / decoded.height) * height)), height };
    return { width: width ?? height ?? side, height: height ?? width ?? side };
  }

  /**
   * Layers over all tokens of the picture, where the first grid that fits is that of them; where `isAll`, undefined unless it is of every layer.
   * @param known the tokens, where layers of the same run have been handed out over them.
   */
  #plainly(
    layers: readonly LayerWeights[],
    candidates: readonly GridCandidate[],
    isAll: boolean,
    known?: TokenStream,
  ): PlacedLayers | undefined {
    for (const numTokens of new Set(layers.filter((layer) => this.#isOver(layer)).map((layer) => layer.numKeys))) {
      const grid = fitGrid(candidates, numTokens);
      if (typeof grid === 'string') continue;
      const [drawn, others] = [
        layers.filter((layer) => this.#isOver(layer, numTokens)),
        layers.filter((layer) => !this.#isOver(layer, numTokens)),
      ];
      if (isAll && others.length > 0) return undefined;
      const failed = others.map((layer) => ({
        path: layer.path,
        reason: this.#isUnchanging(layer)
          ? `its ${layer.numKeys} keys, or queries, do not grow with the picture, so they are no patches of it`
          : layer.batch > 1
            ? `it is computed within ${layer.batch} windows, not over the whole picture`
            : `it is over ${layer.numQueries} queries and ${layer.numKeys} keys, not over the ${numTokens} tokens of the picture`,
      }));
      return {
        layers: drawn,
        streams: [
          known?.tokens.length === numTokens ? known : imageStream(grid, numTokens, this.#parts.resolved.config),
        ],
        streamsOf: () => ({ queryStream: 0, keyStream: 0 }),
        failed,
        paddingShare: 0,
      };
    }
    return undefined;
  }

  /** Whether a layer is over all tokens of a picture, of which there are so many. */
  #isOver(layer: LayerWeights, numTokens = layer.numKeys): boolean {
    const { batch, numQueries, numKeys } = layer;
    return batch === 1 && numQueries === numKeys && numKeys === numTokens && !this.#isUnchanging(layer);
  }

  /** Whether it is surely over no patches: pictures of other sizes have as many of them. */
  #isUnchanging(layer: LayerWeights): boolean {
    const site = this.#siteOf(layer);
    return site !== undefined && this.#unchanging.has(site);
  }

  #siteOf({ path, component, layer }: LayerWeights): PlacedSite | undefined {
    return this.#session.analysis.sites.find(
      (each) => each.path === path && each.component === component && each.layer === layer,
    );
  }

  /** Layers over grids of their own, or within windows, put where the graph says that they stand; undefined where it does not. */
  async #placed(
    layers: readonly LayerWeights[],
    picture: ShapedPicture,
    inputs: readonly ModelInput[],
  ): Promise<PlacedLayers | undefined> {
    const places = await this.#places(inputs);
    const placesOf = (layer: LayerWeights): SitePlaces | string => {
      const site = this.#siteOf(layer);
      return (site && places.get(site)) ?? 'where its patches lie is not known';
    };
    const placed = placeLayers(layers, placesOf, picture, this.#parts.resolved.config);
    this.#unplaced = placed.failed[0]?.reason;
    return placed.layers.length === 0 ? undefined : placed;
  }

  /** Where each layer's queries and keys stand; found once for each size of picture. */
  async #places(inputs: readonly ModelInput[]): Promise<Placements> {
    const [pixels] = inputs;
    const size = pixels.dims.join(' ');
    if (this.#placements?.size !== size)
      this.#placements = {
        size,
        found: await this.#session.positions(inputs, pixels, this.#parts.layout.isChannelLast),
      };
    return this.#placements.found;
  }

  #reasonWithoutGrid(layers: readonly LayerWeights[], candidates: readonly GridCandidate[]): string {
    if (layers.some(({ batch }) => batch > 1)) return this.#unplaced ?? 'where its windows lie is not known';
    const square = layers.find((layer) => layer.numQueries === layer.numKeys);
    const grid =
      square === undefined ? 'none of it is of tokens among themselves' : fitGrid(candidates, square.numKeys);
    return typeof grid === 'string' ? grid : (this.#unplaced ?? 'its patches are not known');
  }

  /** Attention over all patches may be more than there is memory for, where that within windows is not. */
  async #checkMemory(candidates: readonly GridCandidate[], inputs: readonly ModelInput[]): Promise<void> {
    const numTokens = Math.max(0, ...candidates.map(({ rows, columns }) => rows * columns));
    const numHeads = this.#report.sites.reduce((sum, site) => sum + (site.numHeads ?? 1), 0);
    if (numTokens ** 2 * numHeads * 4 <= maxAttentionBytes) return;
    const bytes = bytesOfPlaces(await this.#places(inputs));
    if (bytes === undefined || bytes > maxAttentionBytes)
      throw new ExplorerError('outOfMemory', [`the attention among ${numTokens} patches`]);
  }
}

/** What is to be said of grids whose patches are windows that overlap. */
function notesOnStride(streams: readonly TokenStream[], candidates: readonly GridCandidate[]): Notice[] {
  return streams.flatMap(({ grid }): Notice[] => {
    const numWindows = candidates.find(
      ({ rows, columns }) => rows === grid?.rows && columns === grid.columns,
    )?.numWindows;
    return grid === undefined || numWindows === undefined
      ? []
      : [{ code: 'patchesByStride', args: [numWindows, grid.patchWidth, grid.patchHeight] }];
  });
}

/** Bytes of attention within windows, as far as their places tell; undefined where those of a layer do not. */
function bytesOfPlaces(placements: Placements): number | undefined {
  let bytes = 0;
  for (const [{ numHeads = 1, weighted }, places] of placements) {
    if (typeof places === 'string') return undefined;
    const { rows, columns, numMatrices } = places;
    // An operator that has attention inside it tells places once for all of its heads.
    bytes += (4 * rows.length * columns.length * (weighted === undefined ? 1 : numHeads)) / Math.max(1, numMatrices);
  }
  return bytes;
}

/** A picture is held as values of ours, and as the runtime's; weights, once as the runtime's and a moment later as ours. */
const copies = 2;

/** Throws `modelTooLarge` where the batch that a file takes is more than the engine has memory for, all its items being the same picture. */
function checkPicture(
  name: string,
  { width, height }: PixelSize,
  {
    files,
    layout,
    candidates,
    limits,
  }: {
    readonly files: ModelFiles;
    readonly layout: PixelLayout;
    readonly candidates: readonly GridCandidate[];
    readonly limits: MemoryLimits;
  },
): void {
  const numItems = itemsOf(layout.input);
  if (numItems === 1) return;
  const { index, sites } = files.analysis;
  const numTokens = Math.max(1, ...candidates.map(({ rows, columns }) => rows * columns));
  const attentionBytes = 4 * numItems * numTokens ** 2 * sites.reduce((sum, { numHeads }) => sum + (numHeads ?? 1), 0);
  checkBytes(name, attentionBytes, maxAttentionBytes);
  checkBytes(
    name,
    copies * (attentionBytes + 4 * numItems * width * height * layout.numChannels) +
      numItems * activationBytes(index, numTokens),
    limits.engineBytes,
  );
}
