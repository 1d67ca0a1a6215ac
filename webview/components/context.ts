import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { KeptLayout } from '../state/layoutState';
import type { Panel } from '../state/panel';

/** What every component is given. */
export interface PanelServices {
  readonly panel: Panel;
  readonly kept: KeptLayout;
}

/** Hands the services down. */
export const PanelContext = createContext<PanelServices | undefined>(undefined);

/** The panel that a component belongs to. */
export function usePanel(): PanelServices {
  const services = useContext(PanelContext);
  if (services === undefined) throw new Error('A component of the panel outside of it');
  return services;
}
