import { ExplorerError } from '../../base/errors';
import type { RunInfo } from '../../model/modelInfo';
import type { ModelSpec } from '../../protocol';
import { isSameModel } from '../folder/isSameModel';
import type { FedFile } from '../session/fedInput';
import type { WeighableRun } from './weighedRuns';

/** A run whose attention is held. */
export interface Ran extends Pick<RunInfo, 'streams' | 'components'>, Pick<WeighableRun, 'weighings'> {
  /** Undefined of an attention file, which has no model. */
  readonly spec: ModelSpec | undefined;
  /** What it is called, of an attention file. */
  readonly name?: string;
  readonly fed: readonly FedFile[];
  /** Whether a model of texts read a picture in one. */
  readonly isWithinText?: boolean;
}

/** What the models of the runs that are held are, and what they were fed, by the runs' numbers. */
export class RanRuns {
  readonly #held = new Map<number, Ran>();
  #next = 1;

  /** A number that no run has had. */
  nextId(): number {
    return this.#next++;
  }

  set(runId: number, ran: Ran): void {
    this.#held.set(runId, ran);
  }

  delete(runId: number): void {
    this.#held.delete(runId);
  }

  /** Throws `unknownRun`. */
  of(runId: number): Ran {
    const ran = this.#held.get(runId);
    if (ran === undefined) throw new ExplorerError('unknownRun');
    return ran;
  }

  /** A run by the same model. Throws `noEffects` where it is by another. */
  beside({ spec }: Ran, otherId: number | undefined): Ran | undefined {
    const other = otherId === undefined ? undefined : this.of(otherId);
    if (other === undefined || (spec !== undefined && other.spec !== undefined && isSameModel(spec, other.spec)))
      return other;
    throw new ExplorerError('noEffects', [
      spec?.path.split(/[\\/]/).at(-1) ?? '',
      'the other text was read by another model, whose heads are not these',
    ]);
  }

  /** Throws `noModelHere` of an attention file. */
  specOf(runId: number): ModelSpec {
    const { spec, name = '' } = this.of(runId);
    if (spec === undefined) throw new ExplorerError('noModelHere', [name]);
    return spec;
  }
}
