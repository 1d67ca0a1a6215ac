import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ComponentInfo } from '../../src/model/head';
import { levels, type Level, type SinkMode } from '../../src/model/patternForm';
import { joinsHeads } from '../../src/model/methods';
import type { PanelRun } from '../../src/panelProtocol';
import { levelName, sinksName } from '../formWords';
import { canRenormalize } from '../state/formedPatterns';
import { usePanel } from './context';
import { Select } from './Select';

const sinkChoices = ['show', 'fade', 'remove', 'renormalize'] as const;

/** In which form weights are looked at: of tokens or of what these are together, and with or without sinks. */
export function FormChoice({ run, component }: { run: PanelRun; component: ComponentInfo }): JSX.Element {
  const { panel } = usePanel();
  const { method, level, sinks, isRenormalized } = panel.view.value;
  // What is compared are the weights as both models have them.
  const isComparing = panel.form.value.compared !== undefined;
  const isPicture = run.info.streams.some(({ grid }) => grid !== undefined);
  const isRenormalizable = canRenormalize(component, { method });
  const levelChoices = useMemo(() => levels.map((value) => ({ value, label: levelName(value) })), []);
  const choices = useMemo(
    () =>
      sinkChoices
        .filter((value) => value !== 'renormalize' || isRenormalizable)
        .map((value) => ({
          value,
          label: value === 'renormalize' ? sinksName('remove', true) : sinksName(value, false),
        })),
    [isRenormalizable],
  );
  return (
    <>
      {isPicture ? null : (
        <Select
          label={l10n.t('Level')}
          isDisabled={isComparing}
          value={level}
          choices={levelChoices}
          width={80}
          onChange={(value) => panel.change({ level: value as Level /* one of the choices */ })}
        />
      )}
      <Select
        label={joinsHeads(method) ? l10n.t('Sinks: of single heads, which this method puts together') : l10n.t('Sinks')}
        isDisabled={isComparing || joinsHeads(method)}
        value={sinks === 'remove' && isRenormalized && isRenormalizable ? 'renormalize' : sinks}
        choices={choices}
        width={122}
        onChange={(value) =>
          panel.change(
            value === 'renormalize'
              ? { sinks: 'remove', isRenormalized: true }
              : { sinks: value as SinkMode /* one of the choices */, isRenormalized: false },
          )
        }
      />
    </>
  );
}
