import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/** What the reader of a run must know, each until it is closed. */
export function Notices({ notices }: { notices: readonly string[] }): JSX.Element {
  const [closed, close] = useState<readonly string[]>([]);
  return (
    <>
      {notices
        .filter((notice) => !closed.includes(notice))
        .map((notice) => (
          <p key={notice} class="notice">
            <vscode-icon name="info" /> <span class="notice-text">{notice}</span>
            <vscode-toolbar-button icon="close" label={l10n.t('Close the notice')} title={l10n.t('Close the notice')} onClick={() => close([...closed, notice])} />
          </p>
        ))}
    </>
  );
}
