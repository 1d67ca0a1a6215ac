import { dataType } from '../../onnx/file/dataType';
import { encodeTypedValue } from '../../onnx/file/nodeBytes';
import { SuffixBuilder } from '../../onnx/find/suffixNodes';
import type { OutputProjection } from '../../onnx/follow/outputProjection';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { FoundSite } from '../../onnx/name/site';
import type { HeadTensor } from '../../onnx/name/taps';
import type { Tap } from '../../onnx/rewrite/rewriteModel';

/** Inputs that the tapped model has beside its own: which query and which key, int64 lists of one number. */
export const cellInputs = { query: 'attention-explorer-cell-query', key: 'attention-explorer-cell-key' } as const;

/** ValueInfoProtos of {@link cellInputs}. */
export function encodeCellInputs(): Uint8Array[] {
  return Object.values(cellInputs).map((name) => encodeTypedValue(name, dataType.int64, 1));
}

/** Tensors of a graph that are wanted, each as an output of its own: a row or column of it, or all of it. */
export class CellOutputs {
  readonly outputs = new Map<string, string>();
  /** Tensors of the graph that the outputs are made of. */
  readonly needs = new Set<string>();
  /** Those of the parts' suffix. */
  readonly extra = new Set<string>();
  readonly #index: GraphIndex;
  readonly #site: FoundSite;
  readonly #made: SuffixBuilder;
  readonly #leading: string;

  constructor(index: GraphIndex, site: FoundSite) {
    this.#index = index;
    this.#site = site;
    this.#made = new SuffixBuilder(index, site.node, 'cell/');
    this.#leading = this.#made.integers('leading', [1, 1]);
  }

  /** The row (−2) or column (−1) of a tensor that an input names, or its like along another axis; the only one where there is one for all. */
  gather(what: string, tensor: string, axis: number, input: string = cellInputs.query): void {
    const made = this.#made;
    this.#need(tensor);
    const name = (part: string): string[] => [made.name(`${what}-${part}`)];
    // A tensor of fewer axes than two has axes of length one.
    const shape = made.add(
      'Concat',
      [this.#leading, made.add('Shape', [tensor], name('shape'))],
      name('lifted-shape'),
      {
        axis: { integer: 0 },
      },
    );
    const length = made.add('Gather', [shape, made.integers(`${what}-axis`, [axis])], name('length'));
    const lifted = made.add('Reshape', [tensor, shape], name('lifted'));
    const place = made.add('Mod', [input, length], name('place'));
    this.outputs.set(what, made.add('Gather', [lifted, place], [made.name(what)], { axis: { integer: axis } }));
  }

  /** All of a tensor. */
  copy(what: string, tensor: string): void {
    this.#need(tensor);
    this.outputs.set(what, this.#made.add('Identity', [tensor], [this.#made.name(what)]));
  }

  /** A part, as far as it is told. */
  part(what: string, found: HeadTensor | string): void {
    if (typeof found !== 'string') this.copy(what, found.tensor);
  }

  /** The weight of a linear map as numbers [in, out], and its bias, where they are told. */
  map(what: string, { weight, bias }: OutputProjection): void {
    const made = this.#made;
    const toFloat = { to: { integer: dataType.float32 } };
    if (weight !== undefined) {
      const turned = made.tensor('Transpose', [weight.tensor], `turned weight of ${what}`, {
        perm: { integers: weight.order },
      });
      const flat = made.tensor('Flatten', [turned], `flat weight of ${what}`, { axis: { integer: weight.numSummed } });
      this.outputs.set(`weight of ${what}`, made.tensor('Cast', [flat], `weight of ${what}`, toFloat));
    }
    if (bias !== undefined)
      this.outputs.set(`inner bias of ${what}`, made.tensor('Cast', [bias], `inner bias of ${what}`, toFloat));
  }

  build(): Tap {
    return { ...this.#made.build(), outputs: [...this.outputs.values()] };
  }

  #need(tensor: string): void {
    if (this.#site.suffix !== undefined && tensor === this.#site.tensor) return;
    if (this.#index.hasTensor(tensor)) this.needs.add(tensor);
    else if (!tensor.startsWith('attention-explorer-')) this.extra.add(tensor);
  }
}
