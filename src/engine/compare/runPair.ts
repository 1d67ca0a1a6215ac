import { ExplorerError } from '../../base/errors';
import { alignTokens, type Alignment } from '../../model/compare/alignTokens';
import { pairsByIndex, type ComparedHead, type Pairing } from '../../model/compare/comparison';
import type { CommonUnits } from '../../model/compare/headDifference';
import { headsOf, type Component, type ComponentInfo } from '../../model/head';
import type { TokenStream } from '../../model/token';
import type { HeldLayer } from '../weights/heldLayer';
import { AlignedLayer } from './alignedLayer';
import { readDifferences, readMatches } from './readDifferences';

/** A run that is compared. */
export interface ComparableRun {
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
  /** The layers of a component, in order. */
  layersOf(component: Component): readonly HeldLayer[];
}

/** A component that both runs have, over the units of A's text. */
export interface ComparedComponent {
  readonly a: ComponentInfo;
  readonly b: ComponentInfo;
  readonly layersOfA: readonly AlignedLayer[];
  readonly layersOfB: readonly AlignedLayer[];
  readonly common: CommonUnits;
}

/** Two runs, A and B, put together; nothing is read before it is asked for, and nothing of what is read is kept. */
export class RunPair {
  readonly #a: ComparableRun;
  readonly #b: ComparableRun;
  /** Of each stream that both runs have. */
  readonly alignments: readonly Alignment[];

  /** Throws `notCompared` where nothing of both can be put together: pictures are where they are cut into as many rows and columns of patches. */
  constructor(a: ComparableRun, b: ComparableRun) {
    const reason = whyNotTogether(a.streams, b.streams);
    if (reason !== undefined) throw new ExplorerError('notCompared', [reason]);
    this.#a = a;
    this.#b = b;
    this.alignments = a.streams.slice(0, b.streams.length).map((stream, i) => alignTokens(stream, b.streams[i]));
    if (this.components.length === 0)
      throw new ExplorerError('notCompared', [
        `one has attention of ${namesOf(a.components)} and the other of ${namesOf(b.components)}`,
      ]);
    const isShared = ({ isCommon, starts }: Alignment, { tokens }: TokenStream): boolean =>
      isCommon.some((common, unit) => common === 1 && !tokens[starts[unit]].isSpecial);
    if (!this.alignments.some((alignment, i) => isShared(alignment, a.streams[i])))
      throw new ExplorerError('notCompared', ['the texts have no token in common']);
  }

  /** The components that both have. */
  get components(): readonly Component[] {
    return this.#a.components
      .map(({ component }) => component)
      .filter((name) => this.#b.components.some(({ component }) => component === name));
  }

  /** Throws `notCompared` where one of the runs has no such component. */
  component(name: Component): ComparedComponent {
    const [a, b] = [this.#a, this.#b].map(({ components }) => components.find(({ component }) => component === name));
    if (a === undefined || b === undefined)
      throw new ExplorerError('notCompared', [`not both have attention of ${name}`]);
    const [queries, keys] = [this.alignments[a.queryStream], this.alignments[a.keyStream]];
    const over = (layers: readonly HeldLayer[], units: 'unitsOfA' | 'unitsOfB'): AlignedLayer[] =>
      layers.map(
        (layer) =>
          new AlignedLayer(
            layer,
            { unitOf: queries[units], numUnits: queries.starts.length },
            { unitOf: keys[units], numUnits: keys.starts.length },
          ),
      );
    return {
      a,
      b,
      layersOfA: over(this.#a.layersOf(name), 'unitsOfA'),
      layersOfB: over(this.#b.layersOf(name), 'unitsOfB'),
      common: { queries: queries.isCommon, keys: keys.isCommon, isCausal: a.isCausal && b.isCausal },
    };
  }

  /** Every head of A that has one of B beside it, in reading order, and how far they are apart. Throws the signal's reason. */
  async heads(name: Component, pairing: Pairing, signal?: AbortSignal): Promise<ComparedHead[]> {
    const compared = this.component(name);
    const pairs = pairing === 'index' ? pairsByIndex(compared.a, compared.b) : await nearest(compared, signal);
    const differences = await readDifferences(
      compared.layersOfA,
      compared.layersOfB,
      { pairs, common: compared.common },
      signal,
    );
    return pairs.map(([head, other], i) => ({ head, other, difference: differences[i] }));
  }
}

/** In a clause, why tokens of two pictures, or of a picture and a text, cannot be put together. */
function whyNotTogether(a: readonly TokenStream[], b: readonly TokenStream[]): string | undefined {
  const [ofA, ofB] = [a, b].map((streams) => streams.filter(({ grid }) => grid !== undefined));
  if (ofA.length === 0 && ofB.length === 0) return undefined;
  if (ofA.length === 0 || ofB.length === 0) return 'one is a picture and the other a text';
  if ([...ofA, ...ofB].some(({ text }) => text !== ''))
    return 'one is a picture within a text, whose tokens stand for both';
  const sidesOf = ({ grid }: TokenStream): string => `${grid?.rows ?? 0} × ${grid?.columns ?? 0}`;
  const [gridsA, gridsB] = [ofA, ofB].map((streams) => streams.map(sidesOf).join(', '));
  return gridsA === gridsB
    ? undefined
    : `one is cut into ${gridsA} patches and the other into ${gridsB}, so that none stands beside another`;
}

async function nearest(
  { a, layersOfA, layersOfB, common }: ComparedComponent,
  signal: AbortSignal | undefined,
): Promise<(readonly [ComparedHead['head'], ComparedHead['other']])[]> {
  const matches = await readMatches(layersOfA, layersOfB, common, signal);
  return headsOf(a).flatMap((head, i) => {
    const match = matches[i];
    return match === undefined ? [] : [[head, { layer: match.layer, head: match.head }] as const];
  });
}

const namesOf = (components: readonly ComponentInfo[]): string =>
  components.map(({ component }) => component).join(', ');
