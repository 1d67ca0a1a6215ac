import { ExplorerError } from '../../base/errors';
import type { Settings } from '../files/modelSettings';
import type { SizeSetting } from './pictureSizes';
import type { Resampling } from './resample';

/** The largest side of a picture that settings can ask for. */
const maxSide = 8192;

/** Kinds of sizes that the library takes, by their keys (`VALID_SIZE_DICT_KEYS`). */
const sizeKeys = [
  'height,width',
  'shortest_edge',
  'longest_edge,shortest_edge',
  'longest_edge',
  'max_height,max_width',
];

/** What the settings of an image processor are read from. */
export interface SettingsSource {
  /** The file's own. What it states as null is not there at all: the library does not take its class's setting then. */
  readonly config: Settings;
  /** Those of the class. */
  readonly defaults: Settings;
  /** The file, and the model, for what is refused. */
  readonly file: string;
  readonly modelName: string;
}

/** Reads the settings of an image processor: its own, else those of its class. Throws `modelUnsupported` for what is none. */
export class ProcessorSettings {
  readonly #source: SettingsSource;
  /** Settings that the file leaves to the class, with their values, in the order in which they are asked for. */
  readonly #assumed = new Map<string, unknown>();

  constructor(source: SettingsSource) {
    this.#source = source;
  }

  get assumed(): ReadonlyMap<string, unknown> {
    return this.#assumed;
  }

  /** The error for something that is asked for and not done here. */
  unsupported(what: string): ExplorerError {
    return new ExplorerError('modelUnsupported', [this.#source.modelName, `its ${this.#source.file} asks for ${what}`]);
  }

  /** A setting as it is written; undefined where neither the file nor the class has it. */
  value(key: string): unknown {
    const { config, defaults } = this.#source;
    if (Object.hasOwn(config, key)) return config[key] ?? undefined;
    const usual = Object.hasOwn(defaults, key) ? (defaults[key] ?? undefined) : undefined;
    if (usual !== undefined) this.#assumed.set(key, usual);
    return usual;
  }

  /** Whether the file itself states a setting. */
  isStated(key: string): boolean {
    const { config } = this.#source;
    return Object.hasOwn(config, key) && config[key] !== undefined && config[key] !== null;
  }

  flag(key: string): boolean {
    const value = this.value(key) ?? false;
    if (typeof value === 'boolean') return value;
    if (value === 0 || value === 1) return value === 1;
    throw this.unsupported(`a "${key}" that is neither true nor false`);
  }

  number(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.unsupported(`a "${key}" that is no number`);
  }

  /** A positive whole number, of which sides are multiples. */
  divisor(key: string): number | undefined {
    const value = this.number(key);
    if (value === undefined || isSide(value)) return value;
    throw this.unsupported(`a "${key}" that is no positive whole number`);
  }

  resampling(): Resampling {
    const value = this.value('resample');
    if (value === undefined) throw this.unsupported('scaling without a "resample"');
    if (value === 0 || value === 1 || value === 2 || value === 3 || value === 4 || value === 5) return value;
    throw this.unsupported('a "resample" that is not known');
  }

  /** Numbers for the channels of a picture; one number is that of all. */
  channels(key: string): readonly number[] {
    const value = this.value(key);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if ((list.length !== 1 && list.length !== 3) || !list.every(isNumber))
      throw this.unsupported(`a "${key}" that is no list of three numbers`);
    return list;
  }

  /** A size; undefined where there is none. One number is a square, or the shortest edge. */
  size(key: string, isSquare: boolean, value: unknown = this.value(key)): SizeSetting | undefined {
    if (value === undefined || value === null) return undefined;
    const read = readSize(value, isSquare);
    if (read === undefined) throw this.unsupported(`a "${key}" that is not known`);
    return read;
  }

  /** The settings that stand in a setting of their own, without any of the class. */
  inner(key: string): ProcessorSettings {
    const value = this.value(key);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.unsupported(`a "${key}" that holds no settings`);
    return new ProcessorSettings({ ...this.#source, config: { ...value }, defaults: {} });
  }

  /** Whether one number as `size` is a square. */
  isSquare(): boolean {
    return this.value('default_to_square') === undefined || this.flag('default_to_square');
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isSide = (value: unknown): value is number =>
  isNumber(value) && Number.isInteger(value) && value > 0 && value <= maxSide;

function readSize(written: unknown, isSquare: boolean): SizeSetting | undefined {
  if (isSide(written)) return isSquare ? { width: written, height: written } : { shortest: written };
  if (Array.isArray(written)) {
    const [height, width] = written as readonly unknown[];
    return written.length === 2 && isSide(height) && isSide(width) ? { height, width } : undefined;
  }
  if (typeof written !== 'object' || written === null) return undefined;
  const parts: Readonly<Record<string, unknown>> = { ...written };
  if (!sizeKeys.includes(Object.keys(parts).sort().join())) return undefined;
  if (!Object.values(parts).every((part) => part === null || isSide(part))) return undefined;
  const part = (name: string): number | undefined => (isSide(parts[name]) ? parts[name] : undefined);
  return {
    height: part('height'),
    width: part('width'),
    shortest: part('shortest_edge'),
    longest: part('longest_edge'),
    maxHeight: part('max_height'),
    maxWidth: part('max_width'),
  };
}
