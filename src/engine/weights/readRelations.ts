import { Turns } from '../../base/turns';
import { RelationScores } from '../../model/relations/relationSums';
import type { RelationPairs } from '../../model/relations/relation';
import type { HeldLayer } from './heldLayer';
import { bandRows } from './readBlock';

/** What every head of layers reads along relations, in reading order: see `RelationTable`. Throws the signal's reason. */
export async function readRelations(
  layers: readonly HeldLayer[],
  relations: readonly RelationPairs[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const turns = new Turns(signal);
  const [first] = layers;
  if (first === undefined) return new Float32Array(0);
  const scores = new RelationScores(first, relations);
  const values: number[] = [];
  for (const layer of layers)
    for (let head = 0; head < layer.numHeads; head++) {
      const sums = scores.head();
      for (let from = 0; from < layer.numQueries; from += bandRows) {
        sums.add(from, await layer.rows(head, from, Math.min(layer.numQueries, from + bandRows), signal));
        if (turns.isDue) await turns.give();
      }
      values.push(...sums.values());
    }
  return Float32Array.from(values);
}
