import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import type { Explanation } from '../engine/text/textModel';
import type { HeldLayer } from '../engine/weights/heldLayer';
import { lackOfComponent, weighComponent } from '../engine/weights/weighedLayers';
import type { LoadedModel } from '../engine/serve/loadedModel';
import { headLabel, headsOf, type Component, type ComponentInfo } from '../model/head';
import { joinedComponent, type methodOf, type MethodId } from '../model/methods';
import type { Pattern } from '../model/pattern';

/** Whether the matrix of a layer is made of those before. */
export function isOfLayers(method: MethodId): boolean {
  return method === 'rollout' || method === 'rolloutUniform' || method === 'flow';
}

/** The place of a token that queries of some component have. Throws `invalidArgument`. */
export function queryOf(
  query: string | undefined,
  components: readonly Pick<ComponentInfo, 'queryStream'>[],
  streams: Explanation['streams'],
): number | undefined {
  const numQueries = components.map(({ queryStream }) => streams[queryStream].tokens.length);
  return query === undefined ? undefined : tokenOf(query, Math.max(...numQueries));
}

/** Throws `invalidArgument`. */
export function tokenOf(query: string | undefined, numTokens: number): number {
  const token = query === undefined ? numTokens - 1 : /^\d{1,9}$/.test(query) ? Number(query) : NaN;
  if (token >= 0 && token < numTokens) return token;
  throw new ExplorerError('invalidArgument', ['--query', `it is the place of a token, from 0 to ${numTokens - 1}`]);
}

/** What a method's numbers are, for people. */
export function methodLine({ formula, meaning, source }: ReturnType<typeof methodOf>): TerminalText {
  return line`${plain(formula)}: ${plain(meaning)} (${plain(source)})`;
}

/** … and as data. */
export function weighedFacts({ id, formula, unit, source }: ReturnType<typeof methodOf>): object {
  return { id, formula, unit, source };
}

/** A model that has read what is weighed. */
export type Weighable = Pick<LoadedModel, 'weighs' | 'fed'>;

/** Of lengths of vectors: what a query's sum to in the mean, and the largest. */
export function writtenIn({ numQueries, weights }: Pattern): { readonly mean: number; readonly largest: number } {
  let [sum, largest] = [0, 0];
  for (const length of weights) {
    sum += length;
    largest = Math.max(largest, length);
  }
  return { mean: sum / numQueries, largest };
}

/**
 * Layers as a method weighs them, of the component that is wanted where one is; those that become one matrix have one head. What lengths need
 * comes from another run with the same input. Throws `methodNotOffered` where it cannot be had, and what a run throws.
 */
export async function weighedBy(
  method: ReturnType<typeof methodOf>,
  { layers, components }: Pick<Explanation, 'layers' | 'components'>,
  { model, wanted, token }: { readonly model: Weighable; readonly wanted: string | undefined; readonly token?: number },
): Promise<Pick<Explanation, 'layers' | 'components'>> {
  if (method.id === 'attention') return { layers, components };
  const chosen = components.filter(({ component }) => wanted === undefined || component === wanted);
  const result: HeldLayer[] = [];
  for (const info of chosen) {
    const { component } = info;
    const layersOf = (each: Component): HeldLayer[] => layers.filter((layer) => layer.component === each);
    const refuse = (reason: string): never => {
      throw new ExplorerError('methodNotOffered', [`${method.title} (${component})`, reason]);
    };
    const lack = lackOfComponent(method.id, component, layersOf) ?? model.weighs.lackOf(method.id, info);
    if (lack !== undefined) refuse(lack);
    const weighings = method.needs === 'nothing' ? [] : await model.weighs.weigh(info, layersOf(component), model.fed);
    if (typeof weighings === 'string') return refuse(weighings);
    const weighed = await weighComponent(method.id, component, {
      layersOf,
      weighings,
      ...(token === undefined ? {} : { tokens: [token] }),
    });
    if (typeof weighed === 'string') return refuse(weighed);
    result.push(...weighed);
  }
  return {
    layers: result,
    components: chosen.map((each) => (method.joinsHeads ? joinedComponent(each) : each)),
  };
}

/**
 * … of those components of which that can be had, with a sentence for each of the others. Throws `methodNotOffered` where there is none, and what a run throws.
 * @param head where one is named, of components that have it.
 */
export async function weighedAsFar(
  method: ReturnType<typeof methodOf>,
  run: Parameters<typeof weighedBy>[1],
  how: Parameters<typeof weighedBy>[2],
  head: string | undefined,
): Promise<Awaited<ReturnType<typeof weighedBy>> & { readonly lacks: readonly PlainText[] }> {
  if (method.id === 'attention') return { ...run, lacks: [] };
  const wanted = run.components.filter(({ component }) => how.wanted === undefined || component === how.wanted);
  const having = wanted.filter((info) =>
    headsOf(method.joinsHeads ? joinedComponent(info) : info).some((each) => headLabel(each) === head),
  );
  const layers: HeldLayer[] = [];
  const components: ComponentInfo[] = [];
  const lacks: PlainText[] = [];
  let refusal: ExplorerError | undefined;
  for (const { component } of having.length > 0 ? having : wanted)
    try {
      const made = await weighedBy(method, run, { ...how, wanted: component });
      layers.push(...made.layers.filter((layer) => layer.component === component));
      components.push(...made.components.filter((each) => each.component === component));
    } catch (error) {
      if (!(error instanceof ExplorerError) || error.code !== 'methodNotOffered') throw error;
      refusal ??= error;
      lacks.push(error.sentence);
    }
  if (components.length === 0 && refusal !== undefined) throw refusal;
  return { layers, components, lacks };
}
