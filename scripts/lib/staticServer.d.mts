export function startStaticServer(options?: {
  pages?: Record<string, string>;
}): Promise<{ readonly origin: string; stop(): Promise<void> }>;
