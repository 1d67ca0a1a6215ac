export const root: string;
export const artefacts: string;
export const manifest: Record<string, unknown> & { name: string; publisher: string; version: string };
export const extensionId: string;
