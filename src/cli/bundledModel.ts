import { join } from 'node:path';

/** The folder of the model that ships with the product: beside dist/, where this bundle lies. */
export function bundledModelPath(): string {
  return join(__dirname, '..', 'media', 'models', 'code-decoder');
}
