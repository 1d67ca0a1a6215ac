/** Whether an error says that there was no memory for what was asked: engines of JavaScript say it in several ways, none of them typed. */
export function isAllocationFailure(error: unknown): boolean {
  return (
    error instanceof Error &&
    /allocation failed|Invalid (?:typed )?array (?:buffer )?length|out of memory|could not allocate|Cannot enlarge memory|bad_alloc/i.test(
      error.message,
    )
  );
}
