import type { LaunchOptions, Page } from 'playwright-core';
export interface ChromiumOptions {
  readonly hasWebGpu?: boolean;
  readonly compilesOnce?: boolean;
  readonly hasOneProcess?: boolean;
}
export function findChromium(): string | undefined;
export function ensureChromium(log?: (line: string) => void): Promise<string>;
export function chromiumLaunchOptions(executablePath: string, options?: ChromiumOptions): LaunchOptions;
export function stillWindow(page: Page): Promise<void>;
