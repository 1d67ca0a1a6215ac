import { modelField, opsetField } from '../file/fields';
import { ExplorerError } from '../../base/errors';
import { CallExpansion, scopeOfCall, type CalledFunction } from './callExpansion';
import type { FunctionInfo, NodeInfo, OnnxModel } from '../file/onnxModel';
import { readOverload } from '../file/readModel';
import { WireWriter } from '../file/wireWriter';

/** No real model has functions nested deeper. */
const maxDepth = 32;
/** Nodes and bytes that calls may become. */
const maxNodes = 500_000;
const maxCalls = 50_000;
const leastBytes = 2 ** 24;
const bytesPerByte = 2;

/** Names a function: those of one name may differ by domain and overload. */
function keyOf(domain: string, name: string, overload: string): string {
  return `${domain}\0${name}\0${overload}`;
}

/**
 * Puts the bodies of the functions that a model defines in the place of every call, nested ones too, so that what is computed
 * in them can be seen and made an output. A function that imports another version of an operator set than the model stays as
 * it is. Throws `modelUnsupported` where functions call themselves or become too many nodes, `modelNotOnnx` where a call does
 * not fit its function.
 */
export function inlineFunctions(model: OnnxModel): OnnxModel {
  if (model.functions.length === 0) return model;
  const opsets = new Map(model.opsets);
  const inlined = new Map<string, CalledFunction>();
  const left: FunctionInfo[] = [];
  for (const each of model.functions) {
    const key = keyOf(each.domain, each.name, each.overload);
    const isForeign = [...each.opsets].some(
      ([domain, version]) =>
        opsets.has(domain) && opsets.get(domain) !== version && each.nodes.some((node) => node.domain === domain),
    );
    if (isForeign || inlined.has(key)) left.push(each);
    else inlined.set(key, { ...each, made: new Set(each.nodes.flatMap((node) => node.outputs)) });
  }
  for (const { opsets: own } of inlined.values())
    for (const [domain, version] of own) if (!opsets.has(domain)) opsets.set(domain, version);

  const calledBy = (node: NodeInfo): CalledFunction | undefined =>
    inlined.get(keyOf(node.domain, node.opType, readOverload(model, node)));
  const names = new Set<string>([
    ...model.graph.nodes.flatMap((node) => node.outputs),
    ...model.graph.initializers.map((tensor) => tensor.name),
    ...model.graph.inputs.map((input) => input.name),
  ]);
  const nodes: NodeInfo[] = [];
  const mostBytes = Math.max(leastBytes, model.bytes.length * bytesPerByte);
  let numBytes = 0;
  let numCalls = 0;
  const refuse = (reason: string): never => {
    throw new ExplorerError('modelUnsupported', [model.name, reason]);
  };

  const place = (node: NodeInfo, scope: string, stack: readonly FunctionInfo[]): void => {
    const called = calledBy(node);
    if (called === undefined) {
      nodes.push(node);
      if (node.bytes !== model.bytes) numBytes += node.bytes.length;
      if (nodes.length > maxNodes || numBytes > mostBytes) refuse('its functions become too many nodes');
      return;
    }
    if (stack.includes(called)) refuse('its functions call themselves');
    if (stack.length >= maxDepth) refuse('its functions are nested too deeply');
    let prefix = `function-${numCalls++}/`;
    while (names.has(prefix)) prefix = `_${prefix}`;
    if (numCalls > maxCalls) refuse('its functions become too many nodes');
    const inside = scopeOfCall(model, node, scope);
    const expansion = new CallExpansion(model, called, node, { prefix, scope: inside });
    for (const inner of called.nodes) {
      const bytes = expansion.rename(inner);
      numBytes += bytes.length;
      if (numBytes > 2 * mostBytes) refuse('its functions become too many nodes');
      place(
        {
          ...expansion.ends(inner),
          opType: inner.opType,
          domain: inner.domain,
          bytes,
          range: { start: 0, end: bytes.length },
        },
        inside,
        [...stack, called],
      );
    }
    nodes.push(...expansion.forwarded());
  };
  for (const node of model.graph.nodes) place(node, '', []);

  const isFunction = ({ start }: { start: number }): boolean =>
    (model.bytes[start] | (model.bytes[start + 1] << 8)) === functionTag;
  const headerFields = left.length > 0 ? model.headerFields : model.headerFields.filter((range) => !isFunction(range));
  const imports = new WireWriter();
  for (const [domain, version] of opsets)
    if (!model.opsets.has(domain))
      imports.message(
        modelField.opsetImport,
        new WireWriter().text(opsetField.domain, domain).integer(opsetField.version, version),
      );
  return {
    ...model,
    graph: { ...model.graph, nodes },
    functions: left,
    opsets,
    headerFields,
    addedHeader: imports.toBytes(),
  };
}

/** The tag of ModelProto.functions, field 25, as the two bytes that it takes. */
const functionTag = 0xca | (0x01 << 8);
