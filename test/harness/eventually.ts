/** Tries an assertion until it holds or half a minute has passed. */
export async function expectEventually(assertion: () => unknown): Promise<void> {
  const end = Date.now() + 30_000;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
