import { ExplorerError } from '../../base/errors';
import type { PatchGrid } from '../../model/token';
import { isFloatType } from '../../onnx/file/dataType';
import type { ValueInfo } from '../../onnx/file/onnxModel';
import { patchEmbedding } from '../../onnx/inputs/patchEmbedding';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { baseName, type FileAccess } from '../files/fileAccess';
import { readModelFiles } from '../files/modelFiles';
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
import { readPreprocessing, type Preprocessing } from './readPreprocessing';
import { patchTable } from './patchTable';
import { pictureWriting } from './pictureWriting';
import { shapePicture, type ShapedPicture } from './shapePicture';

/** What a vision encoder in a file of its own is opened with. */
export interface VisionPlace {
  readonly runtime: Runtime;
  readonly access: FileAccess;
  readonly resolved: ResolvedModel;
  readonly deadlines: Deadlines;
  readonly limits: MemoryLimits;
}

/** Processors that can cut a picture into several, each with the setting that says whether, and what that is where nothing says it. */
const splitting: Readonly<Record<string, readonly [setting: string, usual: boolean]>> = {
  Idefics3ImageProcessor: ['do_image_splitting', true],
  SmolVLMImageProcessor: ['do_image_splitting', true],
  GotOcr2ImageProcessor: ['crop_to_patches', false],
};

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
  readonly #isWhole: boolean;
  readonly #numHeads: number;

  private constructor(
    session: AttentionSession,
    { resolved, deadlines, limits }: VisionPlace,
    own: {
      readonly pixels: ValueInfo;
      readonly form: PixelLayout | PatchCut;
      readonly preprocessing: Preprocessing;
      readonly output: string;
      readonly isWhole: boolean;
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
    this.#isWhole = own.isWhole;
  }

  /** Reads and prepares it. Throws `pictureNotWritten` where it needs more than a picture, or nothing says how that is made ready, and the errors of reading and loading a file. */
  static async open(place: VisionPlace): Promise<VisionPart> {
    const { runtime, access, resolved } = place;
    const { visionPath, preprocessorConfig, config } = resolved;
    const writing = pictureWriting(config);
    if (visionPath === undefined) throw notWritten(resolved, 'the first of these files is not beside the other');
    if (preprocessorConfig === undefined)
      throw notWritten(resolved, 'no preprocessor_config.json says how a picture is made ready');
    if (writing === undefined)
      throw notWritten(
        resolved,
        'how a model of its kind (model_type in config.json) writes a picture into a text is not known here',
      );
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
    const name = settings['image_processor_type'];
    const processor = typeof name === 'string' ? name.replace(/(?:Fast|Pil)$/, '') : '';
    const [setting, usual] = Object.hasOwn(splitting, processor) ? splitting[processor] : ['', false];
    const preprocessing = readPreprocessing(
      setting === '' ? settings : { ...settings, [setting]: false },
      resolved.name,
      { file, modelType: config['model_type'], takesPatches: isTable },
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
      isWhole: writing.isCut === true || (settings[setting] ?? usual) !== false,
    });
  }

  /** What a picture becomes. Throws the errors of decoding and shaping it, `imageNoGrid` where its tokens are no patches of it, row by row, `outOfMemory` and `runtimeFailed`. */
  async read({ bytes, name }: PictureFile): Promise<SeenPicture> {
    const deadlines = this.#deadlines;
    const decoded = await decodeImage(bytes, name, deadlines);
    const picture = deadlines.run('preparePicture', decoded.width * decoded.height, () =>
      shapePicture(decoded, this.#preprocessing, name),
    );
    const { inputs, pixels, places } = this.#feed(picture);
    const made = (await this.#session.outputs(inputs, [this.#output])).get(this.#output);
    const features = made && toFloats(made);
    const featureWidth = made?.dims.at(-1) ?? 0;
    if (features === undefined || featureWidth === 0)
      throw notWritten(this.#resolved, 'the first of these files gives no rows of numbers');
    const numTokens = features.length / featureWidth;
    return {
      features,
      numTokens,
      width: featureWidth,
      grid: await this.#grid(inputs, pixels, { picture, numTokens, places }),
      picture,
      notices: [
        ...this.#session.notices,
        ...decoded.notices,
        ...shapingNotices(this.#preprocessing, decoded),
        ...(this.#isWhole ? [{ code: 'pictureNotSplit', args: [this.#preprocessing.processor] } as const] : []),
      ],
      fed: { file: this.#session.fileName, inputs },
    };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  /** What it is fed of a picture, and where each row of a table of patches stands in that. Throws `modelUnsupported` for a size that it does not take, `modelTooLarge` for more patches than there is memory for. */
  #feed(picture: ShapedPicture): {
    readonly inputs: readonly ModelInput[];
    readonly pixels: ModelInput;
    readonly places?: Float32Array;
  } {
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
