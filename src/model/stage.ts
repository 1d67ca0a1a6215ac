/** What the engine does on the way to an explanation, in the order in which it does it, and what a person is told of it. */
export const stageSentences = {
  startEngine: 'Starting the engine',
  readModel: 'Reading the model file',
  loadModel: 'Loading the model',
  tokenize: 'Cutting the text into tokens',
  readImage: 'Reading the picture',
  readFile: 'Reading the attention file',
  run: 'Running the model',
  generate: 'Writing the target',
} as const;
/** One of them. */
export type Stage = keyof typeof stageSentences;
