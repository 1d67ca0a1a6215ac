import { ExplorerError } from '../../base/errors';
import type { PatchGrid } from '../../model/token';
import { isFloatType } from '../../onnx/file/dataType';
import type { ValueInfo } from '../../onnx/file/onnxModel';
import { patchEmbedding } from '../../onnx/inputs/patchEmbedding';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { baseName, type FileAccess } from '../files/fileAccess';
import { readModelFiles } from '../files/modelFiles';
import type { Settings } from '../files/modelSettings';
import type { ResolvedModel } from '../folder/modelFolder';
import type { PictureFile, PictureReader, PictureWriting, SeenPicture } from '../text/picturedText';
import type { Deadlines } from '../limits/deadlines';
import { checkBytes, type MemoryLimits } from '../long/memoryPlan';
import { toFloats } from '../runtime/feeds';
import type { Runtime } from '../runtime/runtime';
import { AttentionSession } from '../session/attentionSession';
import { runPositions } from '../session/positionRun';
import { decodeImage } from './decodeImage';
import { layoutOf, pixelInput, pixelMask, shapingNotices, type PixelLayout } from './pixelInput';
import { gridOf } from './placedLayers';
import type { PatchCut } from './processorSteps';
import { readPreprocessing, type Preprocessing, type PreprocessingContext } from './readPreprocessing';
import { patchTable } from './patchTable';
import { pictureWriting, whyNotWritten } from './pictureWriting';
import { cutPicture, tiledGrid } from './pictureTiles';
import type { ShapedPicture } from './shapePicture';

/** What a vision encoder in a file of its own is opened with. */
export interface VisionPlace {
  readonly runtime: Runtime;
  readonly access: FileAccess;
  readonly resolved: ResolvedModel;
  readonly deadlines: Deadlines;
  readonly limits: MemoryLimits;
}

/** What the file is fed of a picture, or of a tile of one. */
interface FedPart {
  readonly inputs: readonly ModelInput[];
  readonly pixels: ModelInput;
  /** Where each row of a table of patches stands in it. */
  readonly places?: Float32Array;
}

/** What became of it: `features[token * width + feature]`. */
interface SeenPart extends FedPart {
  readonly features: Float32Array;
  readonly width: number;
}

/** What makes features of a picture for a decoder of texts, in a file of its own. */
export class VisionPart implements PictureReader {
  readonly writing: PictureWriting;
  readonly #session: AttentionSession;
  readonly #resolved: ResolvedModel;
  readonly #deadlines: Deadlines;
  readonly #limits: MemoryLimits;
  readonly #pixels: ValueInfo;
  /** How pixels are laid out, or cut into a table of patches. */
  readonly #form: PixelLayout | PatchCut;
  readonly #preprocessing: Preprocessing;
  readonly #output: string;
  readonly #numHeads: number;

  private constructor(
    session: AttentionSession,
    { resolved, deadlines, limits }: VisionPlace,
    own: {
      readonly pixels: ValueInfo;
      readonly form: PixelLayout | PatchCut;
      readonly preprocessing: Preprocessing;
      readonly output: string;
      readonly writing: PictureWriting;
      readonly numHeads: number;
    },
  ) {
    this.writing = own.writing;
    this.#session = session;
    this.#resolved = resolved;
    this.#deadlines = deadlines;
    this.#limits = limits;
    this.#pixels = own.pixels;
    this.#form = own.form;
    this.#numHeads = own.numHeads;
    this.#preprocessing = own.preprocessing;
    this.#output = own.output;
  }

  /** Reads and prepares it. Throws `pictureNotWritten` where it needs more than a picture, or nothing says how that is made ready, and the errors of reading and loading a file. */
  static async open(place: VisionPlace): Promise<VisionPart> {
    const { runtime, access, resolved } = place;
    const { visionPath, preprocessorConfig, config } = resolved;
    const writing = pictureWriting(config);
    if (visionPath === undefined) throw notWritten(resolved, 'the first of these files is not beside the other');
    if (preprocessorConfig === undefined)
      throw notWritten(resolved, 'no preprocessor_config.json says how a picture is made ready');
    if (writing === undefined) throw notWritten(resolved, whyNotWritten(config));
    const files = await readModelFiles(access, visionPath);
    const { index } = files.analysis;
    const pixels =
      index.inputs.find(({ name, dims }) => /pixel_values|image/i.test(name) && (dims?.length ?? 0) >= 4) ??
      index.inputs.find(({ name, dims }) => /pixel_values/i.test(name) && dims?.length === 2);
    const isTable = pixels?.dims?.length === 2;
    const output =
      index.graph.outputs.find(({ name }) => /features|embed/i.test(name)) ??
      index.graph.outputs.find(({ dataType }) => isFloatType(dataType));
    if (pixels === undefined || output === undefined)
      throw notWritten(resolved, 'the first of these files makes no features of a picture');
    const other = index.inputs.find(({ name }) => name !== pixels.name && !(isTable ? isGrid : isPixelMask)(name));
    if (other !== undefined) throw notWritten(resolved, `the first of these files also needs ${other.name}`);
    const { settings, file } = preprocessorConfig;
    const preprocessing = preprocessingOf(
      resolved,
      writing.isCut === true ? { ...settings, crop_to_patches: true } : settings,
      {
        file,
        modelType: config['model_type'],
        takesPatches: isTable,
        takesTiles: writing.tiles !== undefined && !isTable,
      },
    );
    const form = isTable ? preprocessing.patches : layoutOf(pixels, patchEmbedding(index, pixels.name));
    if (form === undefined)
      throw notWritten(resolved, `the first of these files takes a table of patches, and ${file} makes none`);
    const session = await AttentionSession.create({
      ort: runtime.ort,
      runtime,
      files: { ...files, analysis: { ...files.analysis, sites: [] } },
      wantOutputs: true,
      mayLackAttention: true,
    });
    return new VisionPart(session, place, {
      pixels,
      form,
      numHeads: Math.max(1, ...files.analysis.sites.map(({ numHeads = 1 }) => numHeads)),
      preprocessing,
      output: output.name,
      writing,
    });
  }

  /** What a picture becomes. Throws the errors of decoding and shaping it, `imageNoGrid` where its tokens are no patches of it, row by row, `outOfMemory` and `runtimeFailed`. */
  async read({ bytes, name }: PictureFile, turn: () => Promise<void>): Promise<SeenPicture> {
    const deadlines = this.#deadlines;
    const decoded = await decodeImage(bytes, name, deadlines);
    const { picture, tiles, tiling } = deadlines.run('preparePicture', decoded.width * decoded.height, () =>
      cutPicture(decoded, this.#preprocessing, name),
    );
    const parts: SeenPart[] = [];
    for (const tile of tiles) {
      if (parts.length > 0) await turn();
      parts.push(await this.#see(tile));
    }
    const [{ features: first, width }] = parts;
    const [{ inputs, pixels, places }] = parts;
    const numTokens = first.length / width;
    // Tiles are of one size, and the graph does with each what it does with the first.
    const grid = await this.#grid(inputs, pixels, { picture: tiles[0], numTokens, places });
    if (parts.some((part) => part.features.length !== first.length || part.width !== width))
      throw notWritten(this.#resolved, 'the first of these files gives its tiles different numbers of tokens');
    const features = new Float32Array(first.length * parts.length);
    parts.forEach((part, i) => features.set(part.features, i * first.length));
    return {
      features,
      numTokens: numTokens * parts.length,
      width,
      grid: tiling === undefined ? grid : tiledGrid(grid, tiling),
      picture,
      notices: [
        ...this.#session.notices,
        ...decoded.notices,
        ...shapingNotices(this.#preprocessing, decoded),
        ...(tiling === undefined
          ? []
          : [{ code: 'pictureInTiles', args: [tiling.rows, tiling.columns, this.#preprocessing.processor] } as const]),
      ],
      fed: parts.map((part) => ({ file: this.#session.fileName, inputs: part.inputs })),
    };
  }

  /** What a picture, or a tile of one, becomes. */
  async #see(picture: ShapedPicture): Promise<SeenPart> {
    const fed = this.#feed(picture);
    const made = (await this.#session.outputs(fed.inputs, [this.#output])).get(this.#output);
    const features = made && toFloats(made);
    const width = made?.dims.at(-1) ?? 0;
    if (features === undefined || width === 0)
      throw notWritten(this.#resolved, 'the first of these files gives no rows of numbers');
    return { ...fed, features, width };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  /** What it is fed of a picture. Throws `modelUnsupported` for a size that it does not take, `modelTooLarge` for more patches than there is memory for. */
  #feed(picture: ShapedPicture): FedPart {
    const { inputs } = this.#session.analysis.index;
    const form = this.#form;
    const refuse = (taken: string, made: string): ExplorerError =>
      new ExplorerError('modelUnsupported', [
        this.#resolved.name,
        `it takes pictures of ${taken}, and its ${this.#preprocessing.file} makes them ${made}`,
      ]);
    if ('merge' in form) {
      const [stated] = this.#pixels.dims ?? [];
      const block = form.side * form.merge;
      if (picture.width % block > 0 || picture.height % block > 0)
        throw refuse(`whole blocks of ${block} pixels`, `${picture.width} × ${picture.height}`);
      const numPatches = (picture.width * picture.height) / form.side ** 2;
      if (typeof stated === 'number' && stated !== numPatches)
        throw refuse(`${stated} patches`, `${numPatches} patches`);
      // Scores, and what they become, of one layer.
      checkBytes(this.#resolved.name, 8 * this.#numHeads * numPatches ** 2, this.#limits.engineBytes);
      const { pixels, grid, places } = patchTable(this.#pixels, picture, this.#preprocessing, form);
      return { inputs: inputs.map((each) => (each.name === pixels.name ? pixels : grid(each))), pixels, places };
    }
    const { width, height } = form;
    if ((width ?? picture.width) !== picture.width || (height ?? picture.height) !== picture.height)
      throw refuse(`${width ?? 'any'} × ${height ?? 'any'} pixels`, `${picture.width} × ${picture.height}`);
    const pixels = pixelInput(picture, this.#preprocessing, form);
    return {
      inputs: inputs.map((each) => (each.name === pixels.name ? pixels : pixelMask(each, picture))),
      pixels,
    };
  }

  /** The patches that tokens are, as the graph itself moves pixels to them. */
  async #grid(
    inputs: readonly ModelInput[],
    pixels: ModelInput,
    {
      picture,
      numTokens,
      places: rows,
    }: { readonly picture: ShapedPicture; readonly numTokens: number; readonly places: Float32Array | undefined },
  ): Promise<PatchGrid> {
    const { streams } = await runPositions(this.#session.partRuntime, inputs, pixels, {
      isChannelLast: 'isChannelLast' in this.#form && this.#form.isChannelLast,
      rows,
      streams: [this.#output],
      sites: [],
    });
    const places = streams.get(this.#output) ?? 'where its patches lie is not known';
    const refuse = (reason: string): ExplorerError => new ExplorerError('imageNoGrid', [this.#resolved.name, reason]);
    if (typeof places === 'string') throw refuse(places);
    const found = gridOf([places], picture);
    if (typeof found === 'string') throw refuse(found);
    const { grid, numPlaced } = found;
    if (
      numPlaced !== numTokens ||
      places.length !== numTokens ||
      places.some((place, i) => i > 0 && place <= places[i - 1])
    )
      throw refuse('its tokens are not the patches of the picture, row by row');
    return grid;
  }
}

/** As the settings of the processor say. Throws `pictureNotWritten` for steps that are not known. */
function preprocessingOf(resolved: ResolvedModel, settings: Settings, context: PreprocessingContext): Preprocessing {
  try {
    return readPreprocessing(settings, resolved.name, context);
  } catch (error) {
    if (!(error instanceof ExplorerError) || error.code !== 'modelUnsupported') throw error;
    throw notWritten(resolved, String(error.args[1]));
  }
}

/** The refusal of a picture without a text. */
export function besideText({
  name,
  visionPath,
  modelPath,
}: Pick<ResolvedModel, 'name' | 'visionPath' | 'modelPath'>): ExplorerError {
  return new ExplorerError('pictureBesideText', [
    name,
    baseName(visionPath ?? 'vision_encoder.onnx'),
    baseName(modelPath),
  ]);
}

/** The refusal of a picture within a text, with a reason as a clause. */
function notWritten({ name, visionPath, modelPath }: ResolvedModel, reason: string): ExplorerError {
  return new ExplorerError('pictureNotWritten', [
    name,
    baseName(visionPath ?? 'vision_encoder.onnx'),
    baseName(modelPath),
    reason,
  ]);
}

/** Whether an input is how many patches a picture has in time, down and across. */
function isGrid(name: string): boolean {
  return /grid_thw/i.test(name);
}

function isPixelMask(name: string): boolean {
  return /pixel\w*mask/i.test(name);
}
