import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { largestError, type ComponentInfo, type HeadSelection } from '../../src/model/head';

/** How far the numbers beside it may be off, where the weights are held rounded: `±0.002`; else nothing. */
export function Precision({
  selection,
  component,
}: {
  selection: HeadSelection;
  component: ComponentInfo;
}): JSX.Element | null {
  const error = largestError(selection, [component]);
  if (error === undefined) return null;
  return (
    <span
      class="precision"
      title={l10n.t(
        'The attention of this run is too large to be held exactly: each weight is off by at most so much.',
      )}
    >
      {' '}
      ±{error.toPrecision(1)}
    </span>
  );
}
