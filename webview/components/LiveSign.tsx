import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { usePanel } from './context';

/** Says that live mode is on, and turns it off. */
export function LiveSign(): JSX.Element | null {
  const { panel } = usePanel();
  const live = panel.live.value;
  if (live === undefined) return null;
  return (
    <button
      type="button"
      class="live-sign"
      title={
        live.isPaused
          ? l10n.t('Live mode rests after failures, until you go on in another document. Click to turn it off.')
          : l10n.t('The text around the caret is explained as you type. Click to turn live mode off.')
      }
      onClick={() => panel.act('toggleLive')}
    >
      <vscode-icon name={live.isPaused ? 'debug-pause' : 'pulse'} size={14} /> {l10n.t('Live')}
    </button>
  );
}

/** What went wrong last in live mode, in one sentence. */
export function LiveTrouble(): JSX.Element | null {
  const { panel } = usePanel();
  const sentence = panel.live.value?.sentence;
  if (sentence === undefined) return null;
  return (
    <p class="notice" role="status">
      <vscode-icon name="warning" /> {sentence}
    </p>
  );
}
