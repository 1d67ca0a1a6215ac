/** Tensors up to this size, those of 1024 tokens among them, are taken from what earlier ones have given back; larger ones from the system. */
const reusedBytes = 128 * 2 ** 20;

/**
 * What the engine's process gets on top of an environment. A layer takes its tensors for a moment and gives them back, so that memory is
 * bounded (the runtime's own pool would keep them, a pool for each stage). What is given to the system comes back as pages that must be
 * cleared first: a fifth of the time of a run of 1024 tokens. So glibc's allocator keeps up to 128 MB, and takes what is larger in pages of
 * 2 MB where the system has them for who asks («madvise»): a text of 2048 tokens is run in less than a third of the time. Other allocators do
 * not read this variable.
 */
export function engineEnvironment({
  GLIBC_TUNABLES: given,
}: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const ours = {
    'glibc.malloc.hugetlb': 1,
    'glibc.malloc.mmap_threshold': reusedBytes,
    'glibc.malloc.trim_threshold': reusedBytes,
  };
  // A person's own choice comes later, and the later one counts.
  return {
    GLIBC_TUNABLES: [
      ...Object.entries(ours).map(([name, value]) => `${name}=${value}`),
      ...(given === undefined || given === '' ? [] : [given]),
    ].join(':'),
  };
}
