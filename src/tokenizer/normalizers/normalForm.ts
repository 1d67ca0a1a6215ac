import type { NormalizedString } from '../normalizedString';
import { type NormalForm, normalFormEdits } from '../unicode/normalForms';

/** A Unicode normal form. */
export function toNormalForm(piece: NormalizedString, form: NormalForm): NormalizedString {
  const edits = normalFormEdits(piece.text, form);
  return edits.length === 0 ? piece.withText(piece.text) : piece.edit(edits);
}
