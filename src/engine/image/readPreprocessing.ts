import { ExplorerError } from '../../base/errors';
import type { Settings } from '../files/modelSettings';
import { processorDefaults, processorOfModel } from './processorDefaults';
import { ProcessorSettings } from './processorSettings';
import { patchProcessors, processors, tileProcessors } from './processors';
import type { Processing, Processor } from './processorSteps';
import type { PixelSize } from './raster';

/** How a picture becomes a model's input, and where that is known from. */
export interface Preprocessing extends Processing {
  /** The image processor, and what says so: the file of settings, the kind of the model, or nothing. */
  readonly processor: string;
  readonly by: 'settings' | 'modelType' | 'assumption';
  /** The file of settings. */
  readonly file: string;
  /** Settings that the file leaves to the class, as `name = value`. */
  readonly assumed: readonly string[];
}

/** What is known beside the settings of an image processor. */
export interface PreprocessingContext {
  /** The file that the settings are from. */
  readonly file?: string;
  /** `model_type` of config.json. */
  readonly modelType?: unknown;
  /** Whether the model may take a table of patches. */
  readonly takesPatches?: boolean;
  /** Whether the model may read tiles of a picture. */
  readonly takesTiles?: boolean;
}

const usualFile = 'preprocessor_config.json';

/** What settings without any name are read as: they state nearly all of it themselves. */
const unnamed = 'ViTImageProcessor';
/** Steps beyond a plain processor's, which settings without a name may ask for. */
const otherSteps = [
  'crop_pct',
  'offset',
  'rescale_offset',
  'do_thumbnail',
  'do_align_long_axis',
  'do_image_splitting',
  'keep_aspect_ratio',
  'ensure_multiple_of',
  'size_divisor',
  'do_pan_and_scan',
  'crop_to_patches',
  'merge_size',
  'temporal_patch_size',
  'pretrained_cfg',
];

/**
 * Reads the settings of an image processor (`preprocessor_config.json`) as `transformers` does. Throws `modelUnsupported` for one that
 * is not known, and for steps that are not.
 */
export function readPreprocessing(
  config: Settings,
  modelName: string,
  { file = usualFile, modelType, takesPatches = false, takesTiles = false }: PreprocessingContext = {},
): Preprocessing {
  const unsupported = (what: string): ExplorerError =>
    new ExplorerError('modelUnsupported', [modelName, `its ${file} asks for ${what}`]);
  const named = nameOf(config);
  const byModel =
    typeof modelType === 'string' && Object.hasOwn(processorOfModel, modelType)
      ? processorOfModel[modelType]
      : undefined;
  if (named === undefined && byModel === undefined)
    for (const key of otherSteps) if (isAsked(config[key])) throw unsupported(`"${key}", and names no image processor`);
  const processor = named ?? byModel ?? unnamed;
  const known = processorsFor(takesPatches, takesTiles);
  if (!Object.hasOwn(known, processor)) throw unsupported(`the steps of ${processor}, which are not known here`);
  const settings = new ProcessorSettings({ config, defaults: processorDefaults[processor] ?? {}, file, modelName });
  const processing =
    named === undefined && byModel === undefined
      ? { ...known[processor](settings), isBgr: settings.flag('do_flip_channel_order') }
      : known[processor](settings);
  const assumed = [...settings.assumed]
    .filter(([key]) => key !== 'default_to_square')
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return {
    ...processing,
    processor,
    by: named !== undefined ? 'settings' : byModel !== undefined ? 'modelType' : 'assumption',
    file,
    assumed,
  };
}

function processorsFor(takesPatches: boolean, takesTiles: boolean): Readonly<Record<string, Processor>> {
  return { ...processors, ...(takesPatches ? patchProcessors : {}), ...(takesTiles ? tileProcessors : {}) };
}

/** What is done where there are no settings: the model's size, and values from −1 to 1. */
export function assumedPreprocessing(size: PixelSize): Preprocessing {
  return {
    shapings: () => [{ kind: 'resize', size, resampling: 2 }],
    rescale: 1 / 255,
    normalize: { mean: [0.5], deviation: [0.5] },
    processor: '',
    by: 'assumption',
    file: '',
    assumed: [],
  };
}

function isAsked(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

/** The class of the image processor; older settings name a feature extractor, others a backend. */
function nameOf(config: Settings): string | undefined {
  const { image_processor_type: processor, feature_extractor_type: extractor } = config;
  if (typeof processor === 'string') return processor.replace(/(?:Fast|Pil)$/, '');
  return typeof extractor === 'string' ? extractor.replace('FeatureExtractor', 'ImageProcessor') : undefined;
}
