import type { GraphIndex } from '../graph/graphIndex';
import { signatureOf } from './inputs';

/** What a model reads, by its inputs: text (ids), pictures (pixels), both, or neither. */
export function readsOf(index: GraphIndex): 'text' | 'image' | 'both' | 'neither' {
  const roles = new Set(signatureOf(index).roles.values());
  const hasText = roles.has('ids') || roles.has('targetIds');
  if (roles.has('pixels')) return hasText ? 'both' : 'image';
  return hasText ? 'text' : 'neither';
}
