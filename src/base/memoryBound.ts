/** Of the memory that there is, so much at most is ours; the rest is the editor's, the system's and other programs'. */
const ourShare = 0.75;
/** A machine so small that its share is less lets us have this: what the bundled models need on any backend. */
const leastBytes = 2 ** 30;

/**
 * The most bytes that a process of ours may hold.
 * @param machineBytes of the machine's memory.
 * @param groupBytes of what the system lets this group of processes have; 0 or more than there is where it has no limit.
 */
export function memoryBound(machineBytes: number, groupBytes = 0): number {
  const there = groupBytes > 0 ? Math.min(machineBytes, groupBytes) : machineBytes;
  return Math.max(leastBytes, Math.floor(there * ourShare));
}

/** Between two looks a process takes at most so many bytes a millisecond: what memory can be filled with. */
const bytesPerMillisecond = 8e6;
/** Who guards it looks at least and at most so often, in milliseconds. */
const pauses = { least: 50, most: 1000 };

/** Milliseconds until a process that may hold only so much has to be looked at again: the nearer to the bound, the sooner. */
export function nextLook(heldBytes: number, limitBytes: number): number {
  return Math.min(pauses.most, Math.max(pauses.least, (limitBytes - heldBytes) / bytesPerMillisecond));
}
