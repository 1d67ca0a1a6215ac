import { open } from 'node:fs/promises';

/** Does something on a disk that is full after so many bytes: writes of this process's open files take what there is room for, and then fail as the system has it. */
export async function onFullDisk<T>(room: number, work: () => Promise<T>): Promise<T> {
  const some = await open(process.execPath, 'r');
  const handles = Object.getPrototypeOf(some) as { write: (...args: readonly unknown[]) => Promise<unknown> };
  await some.close();
  const { write } = handles;
  let left = room;
  handles.write = async function (bytes, offset, length, ...more) {
    if (left === 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    const taken = Math.min(left, Number(length));
    left -= taken;
    return write.call(this, bytes, offset, taken, ...more);
  };
  try {
    return await work();
  } finally {
    handles.write = write;
  }
}
