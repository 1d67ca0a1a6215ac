/** Limits of a model that reads as much as there is. */
export const wideLimits = {
  modelName: 'tiny',
  contextLength: undefined,
  fixedLength: undefined,
  tokenLimit: 0,
  memoryLimit: 4096,
  vocabularySize: undefined,
  numTypes: 0,
};
