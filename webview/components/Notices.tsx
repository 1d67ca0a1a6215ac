import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PanelNotice } from '../../src/panelProtocol';
import { usePanel } from './context';

/** What the reader of a run must know, each until it is closed. */
export function Notices({ notices }: { notices: readonly PanelNotice[] }): JSX.Element {
  const { panel } = usePanel();
  const [closed, close] = useState<readonly string[]>([]);
  return (
    <>
      {notices
        .filter(({ sentence }) => !closed.includes(sentence))
        .map(({ sentence, action }) => (
          <p key={sentence} class="notice">
            <vscode-icon name="info" />{' '}
            <span class="notice-text">
              {sentence}
              {action === undefined ? null : (
                <>
                  {' '}
                  <button type="button" class="link" onClick={() => panel.act(action.id)}>
                    {action.title}
                  </button>
                </>
              )}
            </span>
            <vscode-toolbar-button
              icon="close"
              label={l10n.t('Close the notice')}
              title={l10n.t('Close the notice')}
              onClick={() => close([...closed, sentence])}
            />
          </p>
        ))}
    </>
  );
}
