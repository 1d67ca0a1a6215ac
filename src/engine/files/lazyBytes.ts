import type { OpenFile } from './fileAccess';

/**
 * A file that passes for its bytes with the runtime, which asks external data for nothing but `byteLength` and
 * `subarray`: each tensor is read when it is wanted, so that the weights are never held twice.
 */
export class LazyBytes extends Uint8Array {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    super(0);
    this.#file = file;
    // A getter cannot override what the language declares as a property.
    Object.defineProperty(this, 'byteLength', { value: file.size });
  }

  override subarray(begin = 0, end = this.#file.size): Uint8Array<ArrayBuffer> {
    return this.#file.read(begin, end - begin);
  }
}
