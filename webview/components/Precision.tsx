import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { largestError, type ComponentInfo, type HeadSelection } from '../../src/model/head';
import { errorFactor, type ShownPattern } from '../state/matrixData';

/**
 * How far the numbers beside it may be off, where the weights are held rounded: `±0.002`; else nothing. `shown`: what they are numbers of,
 * where that may have another form than the model's.
 */
export function Precision({
  selection,
  component,
  shown,
}: {
  selection: HeadSelection;
  component: ComponentInfo;
  shown?: ShownPattern | undefined;
}): JSX.Element | null {
  const ofOne = largestError(selection, [component]);
  if (ofOne === undefined) return null;
  const error = Math.min(1, ofOne * (shown === undefined ? 1 : errorFactor(shown)));
  return (
    <span
      class="precision"
      title={l10n.t(
        'The attention of this run is too large to be held exactly: each number is off by at most so much.',
      )}
    >
      {' '}
      ±{error.toPrecision(1)}
    </span>
  );
}
