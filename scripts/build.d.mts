import type { BuildOptions } from 'esbuild';
export function bundles(options?: {
  readonly production?: boolean;
}): Readonly<Record<'engineNode' | 'guard' | 'cli' | 'native' | 'page', BuildOptions>>;
