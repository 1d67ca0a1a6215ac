import type { PlainText } from '../../base/safeText';
import { said } from '../say/said';

// A language may have another form for one than for several.

export function countedFiles(count: number): PlainText {
  return count === 1 ? said('1 file') : said('{0} files', count);
}

export function countedTexts(count: number): PlainText {
  return count === 1 ? said('1 text') : said('{0} texts', count);
}

export function countedTokens(count: number): PlainText {
  return count === 1 ? said('1 token') : said('{0} tokens', count);
}

export function countedChunks(count: number): PlainText {
  return count === 1 ? said('1 chunk') : said('{0} chunks', count);
}

export function countedPairs(count: number): PlainText {
  return count === 1 ? said('1 pair') : said('{0} pairs', count);
}
