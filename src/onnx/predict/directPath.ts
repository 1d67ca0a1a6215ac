import { operatorOf, productOf, projectedTensor } from '../follow/products';
import { siteTaps } from '../find/siteTaps';
import type { GraphIndex } from '../graph/graphIndex';
import type { PlacedSite } from '../name/describeSites';
import type { LogitsOutput } from './findLogits';
import { fusedNorm, normParts } from '../follow/norms';

/** What a part of the final residual goes through on its way to the logits, nearest to the logits first. */
export type PathStep =
  /** Multiplied by numbers of the file, or divided: one, or one for each feature. */
  { readonly kind: 'factor'; readonly tensor: string; readonly isDivided: boolean } | PathNorm;

/** A norm, whose scale is taken from the run. */
export interface PathNorm {
  readonly kind: 'norm';
  /** What it is given, as a sum of tensors `[…, features]`. */
  readonly given: readonly string[];
  /** What comes of it before it is scaled and shifted by weights; undefined inside a fused operator. */
  readonly normalized: string | undefined;
  /** Of a fused operator: what is added to the mean square, and whether the mean is taken off first. */
  readonly epsilon: number;
  readonly isCentred: boolean;
}

/** What is added to the residual. */
export interface PathPart {
  readonly kind: 'embedding' | 'attention' | 'mlp' | 'bias';
  readonly tensor: string;
  /** Of an attention: its place. */
  readonly site: PlacedSite | undefined;
  /** A bias within it; undefined where it has none. */
  readonly bias: string | undefined;
  readonly steps: readonly PathStep[];
}

/** The direct path from what is added to the residual to the logits. */
export interface DirectPath {
  readonly parts: readonly PathPart[];
  /** The weight that makes the logits, by its tensor, and the axis of its vocabulary. */
  readonly unembedding: { readonly tensor: string; readonly axis: 0 | 1 };
  /** What is added to the logits, one number for each word; undefined where nothing is. */
  readonly bias: string | undefined;
  /** The logits, with that bias, before anything else is done to them. */
  readonly logits: string;
  /** What the file still does to these before it gives them. */
  readonly behind: 'nothing' | 'softCap' | 'scale';
}

/** Why a model has no direct path, in a clause. */
export interface NoPath {
  readonly reason: string;
}

const passing = new Set(['Identity', 'Cast', 'Dropout', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Slice']);
/** Parts and biases of a model; the deepest that was seen has some hundreds. */
const mostParts = 4096;

const postNorm =
  'its norms stand on the residual itself (post-norm), so that nothing reaches the logits by additions alone';

/**
 * The path on which everything that is added to the residual reaches the logits: additions, factors, and norms whose scale is that of the run
 * (direct logit attribution: Elhage et al. 2021; nostalgebraist 2020 for the unembedding of parts). Otherwise why there is none.
 * @param sites of the stack that the logits come from.
 */
export function directPath(index: GraphIndex, logits: LogitsOutput, sites: readonly PlacedSite[]): DirectPath | NoPath {
  try {
    return new PathWalk(index, sites).path(logits);
  } catch (error) {
    if (error instanceof PathError) return { reason: error.message };
    throw error;
  }
}

class PathError extends Error {}

class PathWalk {
  readonly #index: GraphIndex;
  readonly #sites: readonly PlacedSite[];
  readonly #siteOfProjection = new Map<number, PlacedSite>();
  /** Tensors that depend on what is fed, those that depend on a product with a weight, and those that depend on an attention. */
  readonly #fed = new Set<string>();
  readonly #projected = new Set<string>();
  readonly #attended = new Set<string>();
  readonly #parts: PathPart[] = [];

  constructor(index: GraphIndex, sites: readonly PlacedSite[]) {
    this.#index = index;
    this.#sites = sites;
    this.#mark();
    for (const site of sites) {
      const { projection } = siteTaps(index, site);
      if (typeof projection === 'string') throw new PathError(`of the attention ${site.path}, ${projection}`);
      if (projection.isRounded)
        throw new PathError(`what the attention ${site.path} writes is rounded to few bits (quantised)`);
      this.#siteOfProjection.set(projection.node, site);
    }
  }

  /** Nodes stand in the order in which they can be run. */
  #mark(): void {
    const index = this.#index;
    const siteNodes = new Set(this.#sites.map(({ node }) => node));
    for (const { name } of index.inputs) this.#fed.add(name);
    index.spend(index.nodes.length);
    index.nodes.forEach(({ outputs }, node) => {
      const needs = index.dependencies(node);
      const mark = (set: Set<string>, isBegin: boolean): void => {
        if (isBegin || needs.some((tensor) => set.has(tensor))) for (const output of outputs) set.add(output);
      };
      mark(this.#fed, false);
      mark(this.#projected, projectedTensor(index, node) !== undefined);
      mark(this.#attended, siteNodes.has(node));
    });
  }

  path(logits: LogitsOutput): DirectPath {
    const index = this.#index;
    const operator = operatorOf(index, logits.product);
    const product = productOf(index, logits.product);
    const given = projectedTensor(index, logits.product);
    if (given === undefined || product === undefined || !['MatMul', 'Gemm'].includes(operator))
      throw new PathError(`its logits are made by ${operator}, whose weight is no table of numbers (quantised)`);
    if (product.operands[0] !== given || product.isTransposed[0])
      throw new PathError('the weight that makes its logits stands on the left');
    if (['alpha', 'beta'].some((name) => (index.attributes(logits.product).get(name)?.float ?? 1) !== 1))
      throw new PathError('its logits are scaled inside their product');
    const [, tensor] = product.operands;
    this.#follow(given, []);
    const reached = new Set(this.#parts.map(({ site }) => site));
    const lost = this.#sites.find((site) => !reached.has(site));
    if (lost !== undefined) throw new PathError(this.#whyLost(lost, given));
    const gemmBias = operator === 'Gemm' ? index.nodes[logits.product].inputs[2] : '';
    const [made] = index.nodes[logits.product].outputs;
    const added = this.#addedBehind(made);
    return {
      // In the order in which they are computed: layer by layer.
      parts: this.#parts.toSorted((a, b) => (index.producer(a.tensor) ?? -1) - (index.producer(b.tensor) ?? -1)),
      unembedding: { tensor, axis: product.isTransposed[1] ? 0 : 1 },
      bias: added?.bias ?? (gemmBias === '' ? undefined : gemmBias),
      logits: added?.sum ?? made,
      behind: this.#behind(added?.sum ?? made, logits),
    };
  }

  #whyLost({ path }: PlacedSite, given: string): string {
    const hasNorm = this.#parts.some(({ steps }) => steps.some(({ kind }) => kind === 'norm'));
    return this.#parts.filter(({ kind }) => kind !== 'bias').length <= 1
      ? hasNorm || this.#index.producer(given) !== undefined
        ? 'what stands between its last layer and its logits is not linear'
        : 'its logits are made of what it is given'
      : `the attention ${path} does not reach its logits by additions alone`;
  }

  /** A bias that is added to the logits. */
  #addedBehind(made: string): { readonly bias: string; readonly sum: string } | undefined {
    const [node, ...others] = this.#index.consumers(made);
    if (node === undefined || others.length > 0 || operatorOf(this.#index, node) !== 'Add') return undefined;
    const { inputs, outputs } = this.#index.nodes[node];
    const bias = inputs.find((input) => input !== made);
    return bias !== undefined && this.#isConstant(bias) ? { bias, sum: outputs[0] } : undefined;
  }

  #behind(from: string, { tensor }: LogitsOutput): DirectPath['behind'] {
    const between = this.#index.ancestors([tensor]).nodes;
    const before = this.#index.ancestors([from]).nodes;
    const operators = [...between].filter((node) => !before.has(node)).map((node) => operatorOf(this.#index, node));
    if (operators.includes('Tanh')) return 'softCap';
    return operators.some((operator) => operator === 'Mul' || operator === 'Div') ? 'scale' : 'nothing';
  }

  #follow(tensor: string, steps: readonly PathStep[]): void {
    const index = this.#index;
    index.spend(1);
    if (this.#parts.length > mostParts) throw new PathError('its residual is a sum of too many parts');
    if (this.#isConstant(tensor)) return this.#add('bias', tensor, steps);
    const node = index.producer(tensor);
    if (node === undefined) return this.#add('embedding', tensor, steps);
    const operator = operatorOf(index, node);
    const { inputs, outputs } = index.nodes[node];
    if (passing.has(operator)) return this.#follow(inputs[0], steps);
    if (operator === 'Add' || operator === 'Sum') return this.#followSum(inputs, steps);
    const fused = fusedNorm(index, node);
    if (fused !== undefined) {
      const { given, bias, scale, shift, epsilon, isCentred } = fused;
      const summed = [...given, ...(bias === undefined ? [] : [bias])];
      if (tensor !== outputs[0]) return this.#followSum(summed, steps);
      if (shift !== undefined) this.#add('bias', shift, steps);
      const inner: PathStep[] = [
        ...(scale === undefined ? [] : [{ kind: 'factor', tensor: scale, isDivided: false } as const]),
        { kind: 'norm', given: summed, normalized: undefined, epsilon, isCentred },
      ];
      return this.#followSum(summed, [...steps, ...inner]);
    }
    if (operator === 'Mul' || operator === 'Div') return this.#followFactor(node, tensor, steps);
    if (operator === 'Sub' && this.#isConstant(inputs[1]))
      throw new PathError('something is taken off its residual on the way');
    this.#add(this.#kindOf(tensor), tensor, steps, this.#siteOfProjection.get(node));
  }

  /** Parts of a sum. Behind a norm that is not the last, only a branch may stand. */
  #followSum(inputs: readonly string[], steps: readonly PathStep[]): void {
    const dynamic = inputs.filter((input) => !this.#isConstant(input));
    if (
      dynamic.length > 1 &&
      steps.filter(({ kind }) => kind === 'norm').length > 1 &&
      dynamic.some((input) => this.#attended.has(input))
    )
      throw new PathError(postNorm);
    for (const input of inputs) this.#follow(input, steps);
  }

  #followFactor(node: number, tensor: string, steps: readonly PathStep[]): void {
    const { opType, inputs } = this.#index.nodes[node];
    const factor = opType === 'Div' ? inputs[1] : inputs.find((input) => this.#isConstant(input));
    if (factor !== undefined && this.#isConstant(factor)) {
      const [given] = inputs.filter((input) => input !== factor);
      return this.#follow(given, [...steps, { kind: 'factor', tensor: factor, isDivided: opType === 'Div' }]);
    }
    const given = normParts(this.#index, node)?.given;
    if (given === undefined) return this.#add(this.#kindOf(tensor), tensor, steps);
    const norm: PathNorm = { kind: 'norm', given: [given], normalized: tensor, epsilon: 0, isCentred: false };
    this.#follow(given, [...steps, norm]);
  }

  #add(kind: PathPart['kind'], tensor: string, steps: readonly PathStep[], site?: PlacedSite): void {
    const node = this.#index.producer(tensor);
    const isGemm = node !== undefined && /Gemm$/.test(operatorOf(this.#index, node));
    const bias = isGemm ? this.#index.nodes[node].inputs[2] : '';
    this.#parts.push({
      kind: site === undefined ? kind : 'attention',
      tensor,
      site,
      steps,
      bias: bias === '' ? undefined : bias,
    });
  }

  /** Whether a branch that ends in a tensor is of embeddings: nothing in it is projected. */
  #kindOf(tensor: string): 'embedding' | 'mlp' {
    return this.#projected.has(tensor) ? 'mlp' : 'embedding';
  }

  /** Whether nothing that is fed goes into a tensor. */
  #isConstant(tensor: string): boolean {
    return !this.#fed.has(tensor);
  }
}
