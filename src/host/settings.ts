import { colourMaps, scales, type ColourMap, type Scale } from '../model/viewState';

/** The section that all settings stand in. */
export const settingsSection = 'attentionExplorer';

const backends = ['auto', 'native', 'webgpu', 'wasm'] as const;
/** Greatest values that the manifest admits; the settings file may say anything. */
const maxThreads = 64;
const maxTokens = 4096;

/** All settings, checked: a value of the wrong type or range counts as its default. */
export interface Settings {
  /** As written; empty means the bundled model. */
  readonly modelPath: string;
  readonly backend: (typeof backends)[number];
  /** 0 lets the engine choose. */
  readonly threads: number;
  /** 0 means as many as the model reads. */
  readonly tokenLimit: number;
  readonly highlightOnHover: boolean;
  readonly colourMap: ColourMap;
  readonly scale: Scale;
}

/** The settings that decide what a run is; the others only decide how it looks. */
export const runSettings = ['modelPath', 'backend', 'threads', 'tokenLimit'] as const satisfies readonly (keyof Settings)[];

/** Makes settings of whatever stands in the configuration. */
export function validateSettings(read: (key: keyof Settings) => unknown): Settings {
  const oneOf = <T extends string>(key: keyof Settings, allowed: readonly T[], fallback: T): T => {
    const value = read(key);
    return allowed.find((candidate) => candidate === value) ?? fallback;
  };
  const count = (key: keyof Settings, max: number): number => {
    const value = read(key);
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? value : 0;
  };
  const path = read('modelPath');
  return {
    modelPath: typeof path === 'string' ? path.trim() : '',
    backend: oneOf('backend', backends, 'auto'),
    threads: count('threads', maxThreads),
    tokenLimit: count('tokenLimit', maxTokens),
    highlightOnHover: read('highlightOnHover') !== false,
    colourMap: oneOf('colourMap', colourMaps, 'blue'),
    scale: oneOf('scale', scales, 'absolute'),
  };
}
