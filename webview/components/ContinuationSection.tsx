import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { mostContinued, type Sampling } from '../../src/model/continuation';
import { withVisibleBlanks } from '../../src/model/token';
import { writtenIds } from '../../src/model/writtenTokens';
import type { PanelRun } from '../../src/panelProtocol';
import { usePanel } from './context';

/** How the model goes on with the text: how many tokens, how they are chosen, and what it wrote at other times. */
export function ContinuationSection({ run }: { run: PanelRun }): JSX.Element {
  const { continuation } = usePanel().panel;
  const settings = continuation.settings.value;
  const branches = continuation.branches.value;
  const [stream] = run.info.streams;
  const { written } = stream;
  const own = writtenIds(stream).join();
  const set = (change: Partial<typeof settings>): void => continuation.arrange(change);
  return (
    <section class="writes" aria-label={l10n.t('What the model writes')}>
      <h3>{l10n.t('What the model writes')}</h3>
      {written === undefined ? null : (
        <p>
          {l10n.t('{0} tokens, {1}', stream.tokens.length - written.from, howText(written.sampling))}
          {written.ending === undefined ? null : <>; {l10n.t('then it ended the text with {0}', written.ending)}</>}
        </p>
      )}
      <form
        class="writes-choice"
        onSubmit={(event) => {
          event.preventDefault();
          continuation.goOn();
        }}
      >
        <Number
          label={l10n.t('Tokens')}
          value={settings.tokens}
          range={[1, mostContinued, 1]}
          onChange={(tokens) => set({ tokens })}
        />
        <label>
          <input
            type="checkbox"
            checked={settings.isDrawn}
            onChange={({ currentTarget }) => set({ isDrawn: currentTarget.checked })}
          />
          {l10n.t('drawn, not greedily')}
        </label>
        {settings.isDrawn ? (
          <>
            <Number
              label={l10n.t('Temperature')}
              value={settings.temperature}
              range={[0.05, 10, 0.05]}
              onChange={(temperature) => set({ temperature })}
            />
            <Number
              label={l10n.t('Top-p')}
              value={settings.topP}
              range={[0.01, 1, 0.01]}
              onChange={(topP) => set({ topP })}
            />
            <Number
              label={l10n.t('Seed')}
              value={settings.seed}
              range={[0, 2 ** 31, 1]}
              onChange={(seed) => set({ seed })}
            />
          </>
        ) : null}
        <button type="submit" class="random-switch">
          {l10n.t('Continue the Text')}
        </button>
      </form>
      {branches.length === 0 ? null : (
        <ul class="branches" aria-label={l10n.t('Branches')}>
          {branches.map((branch) => (
            <li key={branch.ids.join()}>
              <button
                type="button"
                class="link"
                title={howText(branch.sampling)}
                {...(branch.ids.join() === own ? { 'aria-current': 'true' as const } : {})}
                onClick={() => continuation.show(branch)}
              >
                <code>{withVisibleBlanks(branch.text)}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** How tokens were chosen. */
function howText(sampling: Sampling | undefined): string {
  return sampling === undefined
    ? l10n.t('greedily')
    : l10n.t('drawn at temperature {0}, top-p {1}, seed {2}', sampling.temperature, sampling.topP, sampling.seed);
}

function Number({
  label,
  value,
  range: [least, most, step],
  onChange,
}: {
  label: string;
  value: number;
  range: readonly [least: number, most: number, step: number];
  onChange: (value: number) => void;
}): JSX.Element {
  return (
    <label>
      {label}{' '}
      <input
        type="number"
        class="number-field"
        required
        min={least}
        max={most}
        step={step}
        value={value}
        onChange={({ currentTarget }) => {
          if (currentTarget.checkValidity()) onChange(currentTarget.valueAsNumber);
        }}
      />
    </label>
  );
}
