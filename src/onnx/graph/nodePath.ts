import type { GraphIndex } from './graphIndex';
import { nodeMetadata, nodeName } from '../file/readModel';

/** The module that a node belongs to, in dotted form, where its name or its exporter's metadata says so. */
export function pathOfNode(index: GraphIndex, at: number): string | undefined {
  const node = index.nodes[at];
  const name = nodeName(index.model, node);
  if (name.startsWith('/')) {
    const segments = name.split('/').slice(1, -1);
    if (segments.length > 0) return segments.join('.');
  }
  // Where nodes are only counted, what they make may still be named after the module.
  const [output = ''] = node.outputs;
  if (output.startsWith('/') && output.includes(`/${node.opType}_`) && output.includes('_output_')) {
    const segments = output.split('/').slice(1, -1);
    if (segments.length > 0) return segments.join('.');
  }
  const metadata = nodeMetadata(index.model, node);
  const scopes = metadata.get('pkg.torch.onnx.name_scopes');
  if (scopes !== undefined) {
    // A Python list of module paths, the node's own name last.
    const modules = [...scopes.matchAll(/'([^']*)'/g)].map(([, module]) => module.replace(/^_export_root\.?/, ''));
    const module = modules.slice(0, -1).findLast((each) => each !== '');
    if (module !== undefined) return module;
  }
  const namespace = metadata.get('namespace');
  if (namespace !== undefined) {
    const modules = namespace.split('/').map((part) => part.split(':')[0].trim());
    const module = modules.slice(0, -1).findLast((each) => each !== '');
    if (module !== undefined) return module;
  }
  // Other exporters name nodes after the module as well, with dots or slashes; what ends in an operator and a number only counts operators.
  const counted = /[./](\w+)[._]\d+$/.exec(name);
  const own = counted?.[1].toLowerCase() === node.opType.toLowerCase() ? name.slice(0, counted.index) : name;
  if (!/[./]\w+[./]/.test(name) || !/[./]/.test(own) || !/\d/.test(own)) return undefined;
  return (
    own
      .replace(/^\//, '')
      .split('/')
      .slice(0, own === name ? -1 : undefined)
      .join('.') || own
  );
}

/** Lists of which each member is a layer. */
const listOfBlocks = /layer|block|^(?:h|stages?|cells?|units?|groups)$/i;

interface Slot {
  /** The path up to the number, with other numbers left out. */
  readonly place: string;
  readonly number: number;
}

/** Numbers in a path that may be a layer's, each with its place. */
function slotsOf(path: string): Slot[] {
  const slots: Slot[] = [];
  for (const { 1: word, 2: number, index } of path.matchAll(/(?<=^|[._/])([A-Za-z]+)[._/]+(\d+)(?=[._/]|$)/g)) {
    if (listOfBlocks.test(word))
      slots.push({ place: path.slice(0, index).replaceAll(/\d+/g, '#') + word, number: Number(number) });
  }
  return slots;
}

/**
 * The numbers that paths give their layers: those that stand at one place of all paths, in a list of blocks, and differ from layer
 * to layer. Undefined where there is none for all.
 */
export function layersInPaths(paths: readonly string[]): readonly (number | undefined)[] {
  const slots = paths.map(slotsOf);
  for (const { place } of slots[0] ?? []) {
    const numbers = slots.map((each) => each.find((slot) => slot.place === place)?.number);
    if (numbers.every((number) => number !== undefined) && new Set(numbers).size === numbers.length) return numbers;
  }
  return paths.map(() => undefined);
}
