import { predictionAt, type TokenPrediction, type TokenPredictions } from '../predictions';
import type { Alignment } from './alignTokens';

/** What one model said of a unit's tokens. */
export interface UnitPrediction {
  /** Σ −log₂ p of its tokens. */
  readonly surprisal: number;
  /** Of each of its tokens. */
  readonly tokens: readonly TokenPrediction[];
}

/** What is predicted at a unit that both texts have. */
export interface ComparedPrediction {
  readonly unit: number;
  readonly a: UnitPrediction;
  readonly b: UnitPrediction;
}

/**
 * What two runs predict of the units that both have and that both predict. Where a unit has several tokens their surprisals add up, so that numbers of
 * other tokenizers are of the same characters.
 */
export function comparePredictions(
  { unitsOfA, unitsOfB, isCommon }: Pick<Alignment, 'unitsOfA' | 'unitsOfB' | 'isCommon'>,
  a: TokenPredictions,
  b: TokenPredictions,
): ComparedPrediction[] {
  const [ofA, ofB] = [predictionsByUnit(unitsOfA, a), predictionsByUnit(unitsOfB, b)];
  return [...isCommon.keys()].flatMap((unit) => {
    const [own, other] = [ofA.get(unit), ofB.get(unit)];
    return isCommon[unit] === 0 || own === undefined || other === undefined ? [] : [{ unit, a: own, b: other }];
  });
}

/** The units all of whose tokens have a surprisal. */
function predictionsByUnit(units: Int32Array, predictions: TokenPredictions): Map<number, UnitPrediction> {
  const tokens = new Map<number, TokenPrediction[]>();
  const refused = new Set<number>();
  units.forEach((unit, position) => {
    if (unit < 0) return;
    const found = predictionAt(predictions, position);
    if (found?.actual === undefined || Number.isNaN(found.actual.surprisal)) refused.add(unit);
    else tokens.set(unit, [...(tokens.get(unit) ?? []), found]);
  });
  return new Map(
    [...tokens]
      .filter(([unit]) => !refused.has(unit))
      .map(([unit, own]) => [
        unit,
        { surprisal: own.reduce((sum, { actual }) => sum + (actual?.surprisal ?? 0), 0), tokens: own },
      ]),
  );
}
