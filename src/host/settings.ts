import { hubAddress } from '../hub/hub';
import { backendChoices, type BackendChoice } from '../model/modelInfo';
import { colourMaps, scales, type ColourMap, type Scale } from '../model/viewState';

/** The section that all settings stand in. */
export const settingsSection = 'attentionExplorer';

/** The ways of reading a selection: in the text around it, or as a text of its own. */
const selectionModes = ['inContext', 'alone'] as const;
/** A way of reading a selection. */
export type SelectionMode = (typeof selectionModes)[number];

/** Greatest values that the manifest admits; the settings file may say anything. */
const maxThreads = 64;
const maxTokens = 4096;

/** All settings, checked: a value of the wrong type or range counts as its default. */
export interface Settings {
  /** As written; empty means the bundled model. */
  readonly modelPath: string;
  readonly backend: BackendChoice;
  /** 0 lets the engine choose. */
  readonly threads: number;
  /** 0 means as many as the model reads. */
  readonly tokenLimit: number;
  readonly highlightOnHover: boolean;
  readonly colourMap: ColourMap;
  readonly scale: Scale;
  /** Milliseconds from the last key or move of the caret to a run of live mode. */
  readonly liveDelay: number;
  /** The most tokens around the caret that live mode explains. */
  readonly liveTokens: number;
  /** Whether a selection is read with the text around it. */
  readonly selection: SelectionMode;
  /** About the most tokens that are read around a selection. */
  readonly contextTokens: number;
  /** As written; empty means a folder in the extension's own storage. */
  readonly hubFolder: string;
  /** As written. */
  readonly hubAddress: string;
}

/** The settings that decide what a run is; the others only decide how it looks. */
export const runSettings = [
  'modelPath',
  'backend',
  'threads',
  'tokenLimit',
] as const satisfies readonly (keyof Settings)[];

/**
 * The settings that a workspace may not make before it is trusted: those that say which model is read, and those that cost time or
 * memory. The others are looks, and whether a selection is read in its context. The manifest lists the same, but VS Code's own filter can be passed by in some releases, so what
 * such a workspace says of these is not read at all.
 */
export const restrictedSettings = [
  'modelPath',
  'backend',
  'threads',
  'tokenLimit',
  'liveDelay',
  'liveTokens',
  'contextTokens',
  'hubFolder',
  'hubAddress',
] as const satisfies readonly (keyof Settings)[];

/** The settings that are a person's own alone, for each machine: where files are written to, and whom a token is shown. No workspace makes them, trusted or not. */
export const personalSettings = ['hubFolder', 'hubAddress'] as const satisfies readonly (keyof Settings)[];

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
  const within = (key: keyof Settings, least: number, most: number, fallback: number): number => {
    const value = read(key);
    return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : fallback;
  };
  const text = (key: keyof Settings): string => {
    const value = read(key);
    return typeof value === 'string' ? value.trim() : '';
  };
  return {
    modelPath: text('modelPath'),
    backend: oneOf('backend', backendChoices, 'auto'),
    threads: count('threads', maxThreads),
    tokenLimit: count('tokenLimit', maxTokens),
    highlightOnHover: read('highlightOnHover') !== false,
    colourMap: oneOf('colourMap', colourMaps, 'blue'),
    scale: oneOf('scale', scales, 'absolute'),
    liveDelay: within('liveDelay', 50, 5000, 250),
    liveTokens: within('liveTokens', 16, 1024, 256),
    selection: oneOf('selection', selectionModes, 'inContext'),
    contextTokens: within('contextTokens', 16, maxTokens, 256),
    hubFolder: text('hubFolder'),
    hubAddress: text('hubAddress') || hubAddress,
  };
}
