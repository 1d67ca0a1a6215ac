import { join } from 'node:path';

/** The folder of a model that ships with the product, the one for texts unless another is named: beside dist/, where this bundle lies. */
export function bundledModelPath(name = 'code-decoder'): string {
  return join(__dirname, '..', 'media', 'models', name);
}
