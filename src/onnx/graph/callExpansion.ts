import { ExplorerError } from '../../base/errors';
import { attributeField, graphField, nodeField, tensorField, valueField } from '../file/fields';
import type { FunctionInfo, NodeInfo, OnnxModel } from '../file/onnxModel';
import { nodeAttributes, nodeName } from '../file/readModel';
import { identityNode } from '../file/nodeBytes';
import { WireReader, type ByteRange } from '../../base/wireReader';
import { WireWriter } from '../file/wireWriter';

/** Graphs within graphs within a function. */
const maxDepth = 32;

/** How what a call becomes is named. */
interface CallNames {
  /** Begins the names of its tensors. */
  readonly prefix: string;
  /** Begins the names of its nodes. */
  readonly scope: string;
}

/** A function that is called, with the names that its nodes make. */
export interface CalledFunction extends FunctionInfo {
  readonly made: ReadonlySet<string>;
}

/** One call of a function: what its names, attributes and graphs become where the call is. */
export class CallExpansion {
  readonly #model: OnnxModel;
  readonly #prefix: string;
  readonly #scope: string;
  readonly #names = new Map<string, string>();
  readonly #attributes: ReadonlyMap<string, Uint8Array>;
  readonly #forwarded: NodeInfo[] = [];

  constructor(model: OnnxModel, called: CalledFunction, call: NodeInfo, { prefix, scope }: CallNames) {
    this.#model = model;
    this.#prefix = prefix;
    this.#scope = scope;
    if (call.inputs.length > called.inputs.length || call.outputs.length > called.outputs.length)
      throw new ExplorerError('modelNotOnnx', [model.name, `a call of its function "${called.name}" does not fit it`]);
    called.inputs.forEach((name, i) => this.#names.set(name, call.inputs[i] ?? ''));
    called.outputs.forEach((name, i) => {
      const output = call.outputs[i] ?? '';
      if (output === '') return;
      if (called.made.has(name) && !this.#names.has(name)) this.#names.set(name, output);
      else
        this.#forwarded.push(
          identityNode(this.#names.get(name) ?? this.#prefix + name, output, `${this.#scope}/${output}`),
        );
    });
    const given = new Map<string, Uint8Array>();
    for (const [name, range] of called.defaults) given.set(name, model.bytes.subarray(range.start, range.end));
    for (const [name, { range }] of nodeAttributes(model, call))
      given.set(name, call.bytes.subarray(range.start, range.end));
    this.#attributes = given;
  }

  /** Inputs and outputs of a node of the function, as they are named where the call is. */
  ends(node: NodeInfo): { readonly inputs: readonly string[]; readonly outputs: readonly string[] } {
    return {
      inputs: node.inputs.map((name) => this.#renamed(name)),
      outputs: node.outputs.map((name) => this.#renamed(name)),
    };
  }

  /** A node of the function as it is where the call is. */
  rename(node: NodeInfo): Uint8Array<ArrayBuffer> {
    const own = nodeName(this.#model, node).split('/').at(-1);
    const name = `${this.#scope}/${own === undefined || own === '' ? node.opType : own}`;
    return this.#node(node.bytes, node.range, 0, name).toBytes();
  }

  /** Nodes for results of the function that are its own inputs. */
  forwarded(): readonly NodeInfo[] {
    return this.#forwarded;
  }

  #renamed(name: string): string {
    if (name === '') return '';
    let renamed = this.#names.get(name);
    if (renamed === undefined) this.#names.set(name, (renamed = this.#prefix + name));
    return renamed;
  }

  #fields(bytes: Uint8Array, { start, end }: ByteRange, visit: (reader: WireReader, whole: Uint8Array) => void): void {
    const reader = new WireReader(bytes, this.#model.name, start, end);
    while (reader.next()) visit(reader, bytes.subarray(reader.fieldStart, reader.end));
  }

  #node(bytes: Uint8Array, range: ByteRange, depth: number, name?: string): WireWriter {
    const node = new WireWriter();
    if (name !== undefined) node.text(nodeField.name, name);
    this.#fields(bytes, range, (reader, whole) => {
      if (reader.field === nodeField.name && name !== undefined) return;
      if (reader.field === nodeField.input || reader.field === nodeField.output)
        node.text(reader.field, this.#renamed(reader.text()));
      else if (reader.field === nodeField.name) node.text(nodeField.name, this.#prefix + reader.text());
      else if (reader.field === nodeField.attribute) {
        const attribute = this.#attribute(bytes, reader.range(), depth);
        if (attribute !== undefined) node.message(nodeField.attribute, attribute);
      } else if (reader.field !== nodeField.documentation) node.raw(whole);
    });
    return node;
  }

  /** An attribute with what it refers to in its place; undefined where the call leaves that out. */
  #attribute(bytes: Uint8Array, range: ByteRange, depth: number): WireWriter | undefined {
    let name = '';
    let reference: string | undefined;
    this.#fields(bytes, range, (reader) => {
      if (reader.field === attributeField.name) name = reader.text();
      else if (reader.field === attributeField.reference) reference = reader.text();
    });
    const attribute = new WireWriter();
    if (reference !== undefined && reference !== '') {
      const given = this.#attributes.get(reference);
      if (given === undefined) return undefined;
      attribute.text(attributeField.name, name);
      this.#fields(given, { start: 0, end: given.length }, (reader, whole) => {
        if (reader.field !== attributeField.name) attribute.raw(whole);
      });
      return attribute;
    }
    this.#fields(bytes, range, (reader, whole) => {
      if (reader.field === attributeField.graph || reader.field === attributeField.graphs)
        attribute.message(reader.field, this.#graph(bytes, reader.range(), depth + 1));
      else if (reader.field !== attributeField.documentation) attribute.raw(whole);
    });
    return attribute;
  }

  #graph(bytes: Uint8Array, range: ByteRange, depth: number): WireWriter {
    if (depth > maxDepth)
      throw new ExplorerError('modelUnsupported', [this.#model.name, 'its graphs are nested too deeply']);
    const graph = new WireWriter();
    this.#fields(bytes, range, (reader, whole) => {
      if (reader.field === graphField.node) graph.message(graphField.node, this.#node(bytes, reader.range(), depth));
      else if (reader.field === graphField.initializer)
        graph.message(reader.field, this.#withName(bytes, reader.range(), tensorField.name));
      else if (
        reader.field === graphField.input ||
        reader.field === graphField.output ||
        reader.field === graphField.valueInfo
      )
        graph.message(reader.field, this.#withName(bytes, reader.range(), valueField.name));
      else if (reader.field !== graphField.documentation && reader.field !== graphField.quantizationAnnotation)
        graph.raw(whole);
    });
    return graph;
  }

  /** A message with its name, in the field given, as it is named where the call is. */
  #withName(bytes: Uint8Array, range: ByteRange, field: number): WireWriter {
    const message = new WireWriter();
    this.#fields(bytes, range, (reader, whole) => {
      if (reader.field === field) message.text(field, this.#renamed(reader.text()));
      else message.raw(whole);
    });
    return message;
  }
}

/** A name that tells by itself which layer it is of. */
const naming = /(?:^|[._/])(?:block|blocks|layers|layer|h|stages)[._]\d+/;

/**
 * How names of what a call becomes begin: with the call's own name, behind those of the calls around it (`scope`) unless it
 * tells its layer by itself.
 */
export function scopeOfCall(model: OnnxModel, call: NodeInfo, scope: string): string {
  const own = (
    scope === '' ? nodeName(model, call) || call.opType : (nodeName(model, call).split('/').at(-1) ?? call.opType)
  ).replace(/^\/+/, '');
  return scope === '' || naming.test(own) ? `/${own}` : `${scope}/${own}`;
}
