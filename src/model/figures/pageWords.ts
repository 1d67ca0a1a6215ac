import type { PageWords } from './pageData';

/** What a stand-alone page says. The editor writes its translation. */
export const pageSentences = {
  head: 'Head',
  layer: 'Layer',
  direction: 'Direction',
  reads: 'reads',
  readBy: 'is read by',
  tokenReads: '{0} reads',
  tokenReadBy: '{0} is read by',
  text: 'Text',
  target: 'Target',
  matrix: 'Matrix of head {0}',
  matrixOfLayer: 'Matrix of layer {0}',
  sources: 'Strongest Sources',
  hint: 'Point at a token, or at the matrix; a click pins it, and lets it go.',
  keys: 'In the text, arrow keys walk the tokens, Enter pins one, Escape lets go of it.',
  nothing: 'nothing',
  needsScript: 'This page needs JavaScript; it loads nothing.',
  needsStreams: 'This browser is too old to unpack the numbers.',
} as const satisfies PageWords;
