import type { ComponentInfo } from '../../src/model/head';
import type { PanelRun } from '../../src/panelProtocol';

/** What every part of the panel is given. */
export interface PaneProps {
  readonly run: PanelRun;
  readonly component: ComponentInfo;
}
