import { characterPrograms } from './characterPrograms';
import { plainPrograms } from './plainPrograms';
import type { TokenizerProgram } from './program';
import { sentencePrograms } from './sentencePrograms';

/** The reference library's tokenizers that are programs of their own, as far as they are done here, by name. */
export const tokenizerPrograms: ReadonlyMap<string, TokenizerProgram> = new Map(
  [characterPrograms, plainPrograms, sentencePrograms].flatMap((programs) => Object.entries(programs)),
);
