/** Number of words whose tokens a model remembers. */
export const cacheSize = 10_000;

/** Words of at least this many UTF-16 code units are not remembered: they hardly come again. */
export const maxCachedLength = 256;
