// What fixtures of experiments ask, and how close the answers have to be (scripts/fixtures/effects.py and swaps.py).
import { expect } from 'chai';
import type { EffectQuestion } from '../../src/model/effects/effects';

/** A question as the fixtures write it. */
export interface WrittenQuestion {
  readonly kind: 'token' | 'loss' | 'label';
  readonly position?: number;
  readonly token?: number;
  readonly label?: number;
  readonly against?: number | null;
}

/** Relative, of what the prediction is with the intervention. */
const tolerance = 1e-4;

export function expectClose(own: number, wanted: number, what: string): void {
  expect(Math.abs(own - wanted), `${what}: ${own} and ${wanted}`).to.be.at.most(
    tolerance * Math.max(0.1, Math.abs(wanted)),
  );
}

export function questionOf({ kind, position, token, label, against }: WrittenQuestion): EffectQuestion {
  if (kind === 'loss') return { kind };
  if (kind === 'label') return { kind, label: label ?? -1, against: against ?? undefined };
  return { kind, position: position ?? -1, token: token ?? -1, against: against ?? undefined };
}
