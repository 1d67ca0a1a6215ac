import type { ModelSpec } from '../../protocol';

/** Whether two specifications ask for the same model on the same backend, with files from the same places; its tokenizer apart. */
export function isSameModel(a: ModelSpec, b: ModelSpec): boolean {
  return a.path === b.path && a.backend === b.backend && JSON.stringify(a.barred) === JSON.stringify(b.barred);
}
