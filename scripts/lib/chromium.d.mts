import type { LaunchOptions, Page } from 'playwright-core';
export function findChromium(): string | undefined;
export function ensureChromium(log?: (line: string) => void): Promise<string>;
export function chromiumLaunchOptions(executablePath: string, options?: { hasWebGpu?: boolean }): LaunchOptions;
export function stillWindow(page: Page): Promise<void>;
