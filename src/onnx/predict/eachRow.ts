import { dataType } from '../file/dataType';
import { graphField } from '../file/fields';
import { encodeIntegers, encodeNode, encodeTypedValue, type AttributeValue } from '../file/nodeBytes';
import { WireWriter } from '../file/wireWriter';
import type { SuffixBuilder } from '../find/suffixNodes';

/** A tensor that a graph of rows is given, or gives: single precision, or int64. */
interface RowTensor {
  readonly name: string;
  readonly isInteger?: boolean;
}

/**
 * What is computed of one row after the other: what its operators hand on stays in the processor's caches, where tensors of all rows would go through
 * memory each time. Its tensors have one dimension.
 */
export class RowGraph {
  readonly #builder: SuffixBuilder;
  readonly #graph = new WireWriter();
  #numNodes = 0;

  constructor(builder: SuffixBuilder) {
    this.#builder = builder;
  }

  /** A tensor name of its own. */
  name(part: string): string {
    return this.#builder.name(`row/${part}`);
  }

  /** Adds a node; returns its first output. */
  add(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const name = this.name(String(this.#numNodes++));
    this.#graph.bytes(graphField.node, encodeNode(operator, inputs, outputs, attributes, name));
    return outputs[0];
  }

  /** Adds an int64 constant. */
  integers(part: string, values: readonly number[]): string {
    const name = this.name(part);
    this.#graph.bytes(graphField.initializer, encodeIntegers(name, values));
    return name;
  }

  /**
   * Adds a node to the builder that does it to each row.
   * @param given what it is given of each row, by names of its own, with the tensors whose rows these are.
   * @param gives what it gives, with the names that all rows of it get.
   */
  run(
    given: readonly (RowTensor & { readonly of: string })[],
    gives: readonly (RowTensor & { readonly all: string })[],
  ): void {
    const typed = ({ name, isInteger = false }: RowTensor, dims?: number): Uint8Array =>
      encodeTypedValue(name, isInteger ? dataType.int64 : dataType.float32, dims);
    this.#graph.text(graphField.name, this.name('graph'));
    for (const each of given) this.#graph.bytes(graphField.input, typed(each, 1));
    for (const each of gives) this.#graph.bytes(graphField.output, typed(each));
    this.#builder.add(
      'Scan',
      given.map(({ of }) => of),
      gives.map(({ all }) => all),
      { body: { graph: this.#graph.toBytes() }, num_scan_inputs: { integer: given.length } },
    );
  }
}
