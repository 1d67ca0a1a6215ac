import { configTarget } from './config';
import { feedsTarget } from './feeds';
import type { FuzzTarget } from './fuzzTarget';
import { imageTarget } from './image';
import { onnxTarget } from './onnx';
import { templateTarget } from './template';
import { tokenizerTarget } from './tokenizer';

/** All that reads files from outside, by the name of its soak. */
export const fuzzTargets: Readonly<Record<string, () => FuzzTarget>> = {
  'fuzz-onnx': onnxTarget,
  'fuzz-tokenizer': tokenizerTarget,
  'fuzz-template': templateTarget,
  'fuzz-image': imageTarget,
  'fuzz-feeds': feedsTarget,
  'fuzz-config': configTarget,
};
