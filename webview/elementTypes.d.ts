// The custom elements that the panel uses, for JSX. Their behaviour is set through properties (see components/Select).
import type { HTMLAttributes } from 'preact';

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'vscode-button': HTMLAttributes<HTMLElement> & { secondary?: boolean; icon?: string; disabled?: boolean };
      'vscode-toolbar-button': HTMLAttributes<HTMLElement> & {
        icon?: string;
        label?: string;
        toggleable?: boolean;
        checked?: boolean;
      };
      'vscode-icon': HTMLAttributes<HTMLElement> & { name: string; size?: number };
      'vscode-badge': HTMLAttributes<HTMLElement> & { variant?: string };
      'vscode-single-select': HTMLAttributes<HTMLElement>;
      'vscode-progress-bar': HTMLAttributes<HTMLElement> & { value?: number | undefined; indeterminate?: boolean };
    }
  }
}
