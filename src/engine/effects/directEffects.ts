import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import type { LogitsOutput } from '../../onnx/predict/findLogits';
import { directPath, type DirectPath } from '../../onnx/predict/directPath';
import type { ModelAnalysis } from '../../onnx/find/analyzeModel';
import { fromTensor, toFloats } from '../runtime/feeds';
import { repeated } from './batching';
import type { EffectSite } from './effectGraph';
import type { Baseline, EffectSession } from './effectSession';
import { withFloats } from './headContexts';
import type { Answered, Asked } from './questions';

/** What changed heads of one layer no longer add to the final sum, of each item: as many numbers as the sum of one item has. */
export type Lost = readonly Float32Array[];

/** Takes what heads add to the final sum of the plain run away from it, and runs only what follows that sum. */
export class DirectEffects {
  readonly #session: EffectSession;
  readonly #analysis: ModelAnalysis;
  readonly #logits: LogitsOutput;
  readonly #name: string;

  constructor(
    session: EffectSession,
    {
      analysis,
      logits,
      name,
    }: { readonly analysis: ModelAnalysis; readonly logits: LogitsOutput; readonly name: string },
  ) {
    this.#session = session;
    this.#analysis = analysis;
    this.#logits = logits;
    this.#name = name;
  }

  /** In a clause, why what a layer writes does not come to the final sum by additions alone; undefined where it does. */
  whyNone(place: EffectSite): string | undefined {
    const path = this.#pathOf(place);
    return typeof path === 'string' ? `it has no direct path: ${path}` : undefined;
  }

  #pathOf({ site, projection }: EffectSite): (DirectPath & { readonly written: string }) | string {
    if (site.component === 'encoder') return 'what its encoder writes comes to the end through its decoder alone';
    if (typeof projection === 'string') return projection;
    const { index } = this.#analysis;
    const { output: written } = projection;
    if (!index.hasTensor(written)) return 'what its layers write is rounded to few bits';
    const path = directPath(index, written, this.#logits);
    return typeof path === 'string' ? path : { ...path, written };
  }

  /** How what a layer writes comes to the final sum. Throws `noEffects` where it does not, with the reason. */
  #foundPathOf(place: EffectSite): DirectPath & { readonly written: string } {
    const path = this.#pathOf(place);
    if (typeof path === 'string') throw this.#refuse(path);
    return path;
  }

  /**
   * What a layer no longer adds to the final sum when its heads have read something else, of each item.
   * @param contexts gives what heads have read of so many of the items, beginning with one; the first of all is that of the plain run.
   */
  async lost(
    base: Baseline,
    place: EffectSite,
    items: {
      readonly count: number;
      readonly most: number;
      readonly contexts: (from: number, to: number) => ReadonlyMap<string, Ort.Tensor>;
    },
    turn?: () => Promise<void>,
  ): Promise<Lost> {
    const { written, added } = this.#foundPathOf(place);
    const stage = this.#stageOf(written);
    const found: Float32Array[] = [];
    let factors: Float32Array | undefined;
    let plain: Float32Array | undefined;
    for (let from = 0; from < items.count; from += items.most) {
      const to = Math.min(items.count, from + items.most);
      const made = await this.#session.partOf(
        base,
        stage,
        { given: items.contexts(from, to), numItems: to - from, wanted: [...new Set([written, added])] },
        turn,
      );
      const [writes, adds] = [written, added].map((name) => this.#floats(made.get(name)));
      const size = writes.length / (to - from);
      for (let item = 0; item < to - from; item++) {
        const own = writes.subarray(item * size, (item + 1) * size);
        if (plain === undefined) {
          plain = own;
          // Behind a norm of its own, its scale is that of the plain run.
          if (written !== added)
            factors = adds.subarray(0, size).map((value, i) => (own[i] === 0 ? 0 : value / own[i]));
        }
        const [before, scales] = [plain, factors];
        found.push(before.map((value, i) => (value - own[i]) * (scales?.[i] ?? 1)));
      }
    }
    return found.slice(1);
  }

  /** What is predicted without what is lost, of each item. */
  async ask(base: Baseline, asked: Asked, lost: Lost, turn?: () => Promise<void>): Promise<Answered[]> {
    const { sum } = this.#anyPath();
    const stage = this.#stageOf(sum);
    const whole = await this.#session.endTensor(base, asked, stage, sum);
    if (whole === undefined) throw this.#refuse('its final sum did not come out');
    const own = this.#floats(whole);
    const items = lost.length === 1 ? whole : repeated(this.#session.ort, whole, 0, lost.length);
    const numbers = new Float32Array(own.length * lost.length);
    for (const [item, each] of lost.entries()) {
      const chosen = each.length === own.length ? each : this.#chosen(base, asked, each);
      if (chosen.length !== own.length) throw this.#refuse('what its layers write is not laid out as its final sum');
      for (let i = 0; i < own.length; i++) numbers[item * own.length + i] = own[i] - chosen[i];
    }
    const given = new Map([[sum, withFloats(this.#session.ort, items, numbers)]]);
    return this.#session.ask(base, asked, { from: stage, given, numItems: lost.length }, turn);
  }

  /** The rows that are asked of all. */
  #chosen(base: Baseline, asked: Asked, all: Float32Array): Float32Array {
    const width = all.length / base.numRows;
    const rows = this.#session.rowsOf(base, asked);
    const chosen = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      chosen.set(all.subarray(row * width, (row + 1) * width), i * width);
    });
    return chosen;
  }

  #anyPath(): DirectPath {
    const { sites } = this.#session.graph;
    return this.#foundPathOf(sites[sites.length - 1]);
  }

  /** The stage that makes a tensor. */
  #stageOf(tensor: string): number {
    const { index, stages } = this.#session.graph.cut;
    const node = index.producer(tensor);
    const stage = stages.findIndex(({ nodes }) => node !== undefined && nodes.includes(node));
    if (stage < 0) throw this.#refuse('what its layers write did not come out');
    return stage;
  }

  #floats(tensor: Ort.Tensor | undefined): Float32Array {
    const data = tensor === undefined ? undefined : toFloats(fromTensor(tensor));
    if (data === undefined) throw this.#refuse('what its layers write did not come out as numbers');
    return data;
  }

  #refuse(reason: string): ExplorerError {
    return new ExplorerError('noEffects', [this.#name, `it has no direct path: ${reason}`]);
  }
}
