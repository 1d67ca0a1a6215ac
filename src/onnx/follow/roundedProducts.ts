import type { GraphIndex } from '../graph/graphIndex';

/** At this level the operator may round its input to 8 bits; how, differs between the runtime's builds. */
const roundingLevel = 4;

/** Whether products with weights of few bits may be rounded on the way, by as much as shows in attention. */
export function roundsProducts(index: GraphIndex): boolean {
  return index.nodes.some(
    ({ opType, domain }, node) =>
      opType === 'MatMulNBits' &&
      domain === 'com.microsoft' &&
      index.integerAttribute(node, 'accuracy_level') === roundingLevel,
  );
}
