import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { assertNever } from '../../src/base/assertNever';
import { plain } from '../../src/base/safeText';
import { longRunMilliseconds } from '../../src/model/longRun';
import type { PanelError, PanelStatus } from '../../src/panelProtocol';
import { progressName } from '../words';
import { usePanel } from './context';

function Busy({ status }: { status: Extract<PanelStatus, { kind: 'busy' }> }): JSX.Element {
  const { panel } = usePanel();
  const percent = status.fraction === undefined ? undefined : Math.round(status.fraction * 100);
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), longRunMilliseconds);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="status busy" role="status">
      <p>
        {progressName(status)}
        {percent === undefined ? '…' : ` – ${percent} %`}
      </p>
      <div class="progress">
        {percent === undefined && !isLong ? null : (
          <vscode-progress-bar
            aria-label={progressName(status)}
            value={percent}
            indeterminate={percent === undefined}
          />
        )}
      </div>
      <vscode-button secondary onClick={() => panel.act('cancel')}>
        {l10n.t('Cancel')}
      </vscode-button>
    </div>
  );
}

function Failed({ error, icon, title }: { error: PanelError; icon: string; title: string }): JSX.Element {
  const { panel } = usePanel();
  const { action, alternative } = error;
  return (
    <div class="status failed" role="alert">
      <vscode-icon name={icon} />
      <div class="status-text">
        <strong>{title}</strong>
        <p>{error.sentence}</p>
        {error.details !== undefined && error.details !== '' ? (
          <details>
            <summary>{l10n.t('Details')}</summary>
            <pre tabIndex={0}>{error.details}</pre>
          </details>
        ) : null}
      </div>
      <span class="status-actions">
        {action === undefined ? null : (
          <vscode-button onClick={() => panel.act(action.id)}>{action.title}</vscode-button>
        )}
        {alternative === undefined ? null : (
          <vscode-button secondary onClick={() => panel.act(alternative.id)}>
            {alternative.title}
          </vscode-button>
        )}
      </span>
    </div>
  );
}

function Empty(): JSX.Element {
  const { panel } = usePanel();
  return (
    <div class="empty">
      <vscode-icon name="eye" size={40} />
      <h2>{l10n.t('See what every head attends to')}</h2>
      <p>
        {l10n.t(
          'Select some text in an editor and run Explain Attention: a model reads it on this machine, and you see which tokens each of its attention heads looked at. With nothing selected, the whole document is read.',
        )}
      </p>
      <p class="empty-actions">
        <vscode-button onClick={() => panel.act('explain')}>{l10n.t('Explain Attention')}</vscode-button>
        <vscode-button secondary onClick={() => panel.act('explainSample')}>
          {l10n.t('Try a Sample')}
        </vscode-button>
      </p>
      <p>
        <button type="button" class="link" onClick={() => panel.act('selectModel')}>
          {l10n.t('Choose another model')}
        </button>
      </p>
    </div>
  );
}

/** What the panel is doing, above the run if there is one, else alone in the middle: never a blank panel. */
export function StatusView({ hasRun }: { hasRun: boolean }): JSX.Element | null {
  const { panel } = usePanel();
  const status = panel.status.value;
  if (status === undefined) return hasRun ? null : <p class="status opening">{l10n.t('Waiting for the editor…')}</p>;
  switch (status.kind) {
    case 'empty':
    case 'ready':
      return hasRun ? null : <Empty />;
    case 'busy':
      return <Busy status={status} />;
    case 'stale':
      if (!hasRun) return <Empty />;
      return (
        <div class="status stale" role="status">
          <vscode-icon name="history" />
          <p class="status-text">
            <strong>{l10n.t('Out of date.')}</strong> {status.reason}
          </p>
          <vscode-button onClick={() => panel.act('rerun')}>{l10n.t('Run again')}</vscode-button>
        </div>
      );
    case 'failed':
      return <Failed error={status.error} icon="error" title={l10n.t('This did not work')} />;
    case 'engineStopped':
      return (
        <Failed
          error={{
            ...status.error,
            action: status.error.action ?? { id: 'restartEngine', title: plain(l10n.t('Restart the engine')) },
          }}
          icon="debug-disconnect"
          title={l10n.t('The engine stopped')}
        />
      );
    default:
      return assertNever(status);
  }
}
