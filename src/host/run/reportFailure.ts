import { runAction } from '../commands/panelActions';
import type { PanelError } from '../../panelProtocol';
import { showError } from '../say/notifications';

/** Tells of a failure in a notification, unless the panel is seen: that shows it in place. */
export function reportFailure({ sentence, action, alternative }: PanelError, isPanelVisible: boolean): void {
  if (isPanelVisible) return;
  const buttons = [action, alternative].filter((button) => button !== undefined);
  void showError(
    sentence,
    buttons.map(({ title }) => title),
  ).then((chosen) => {
    const button = buttons.find(({ title }) => title === chosen);
    if (button !== undefined) void runAction(button.id);
  });
}
