/**
 * How the programs below us say that memory was missing: the C++ library, ONNX Runtime (its arena; a size beyond WebAssembly's 32 bits; the
 * system's own words for a thread or a mapped file), WebAssembly, V8 for arrays, strings, maps and its whole heap, and Node for strings.
 */
const sentences =
  /bad_alloc|out of memory|Failed to allocate memory|could not allocate|Cannot allocate memory|Array buffer allocation failed|Invalid (?:typed array|array|string|array buffer) length|invalid size error \d|(?:Map|Set) maximum size exceeded|Cannot create a string longer|Tensor shape is too large|safeint\.h:\d+ .*Integer overflow|Aborted\(OOM\)/is;

/** Whether a message of a program below us says that memory was missing. */
export function saysOutOfMemory(message: string): boolean {
  return sentences.test(message);
}
