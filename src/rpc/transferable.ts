const transferable = new WeakSet<ArrayBufferLike>();

/** Marks an array that its sender gives up, so that a channel may move its buffer instead of copying it. */
export function giveUp<T extends ArrayBufferView>(array: T): T {
  transferable.add(array.buffer);
  return array;
}

/** The same of all arrays that are properties of what is sent. */
export function giveUpArrays<T extends object>(sent: T): T {
  const parts: readonly unknown[] = Object.values(sent);
  for (const part of parts) if (ArrayBuffer.isView(part)) giveUp(part);
  return sent;
}

/** The buffers in a message (at any depth of plain objects and arrays) that were given up. */
export function givenUpBuffers(message: unknown, found: ArrayBuffer[] = []): ArrayBuffer[] {
  if (ArrayBuffer.isView(message)) {
    if (message.buffer instanceof ArrayBuffer && transferable.has(message.buffer) && !found.includes(message.buffer))
      found.push(message.buffer);
  } else if (Array.isArray(message)) {
    // Bulk data never stands in long arrays of objects, so only short ones are searched.
    if (message.length <= 64) for (const item of message) givenUpBuffers(item, found);
  } else if (typeof message === 'object' && message !== null) {
    for (const value of Object.values(message)) givenUpBuffers(value, found);
  }
  return found;
}
