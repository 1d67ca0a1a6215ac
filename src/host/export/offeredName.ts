import { plain, type PlainText } from '../../base/safeText';

/** What the name of a file of attention ends in. */
const ownEnding = /(?<=.)\.attention(?:\.npz|\.safetensors|-explanation\.json)$/i;

/**
 * The name that a file about a document is offered under. Letters of any script stay, and what is about a file of attention does not end twice.
 * @param about what follows the document's name, with the ending.
 */
export function offeredName(document: string, about: string): PlainText {
  return plain(`${document.replace(ownEnding, '')}${about}`.replaceAll(/[^\p{L}\p{M}\p{N}_.-]+/gu, '-'));
}
