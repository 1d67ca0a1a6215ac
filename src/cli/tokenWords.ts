import { plain } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import { anyPatchAt, sourceOfPatch, type PlacedPicture } from '../model/patchGrid';
import { visibleText, type PatchGrid, type TokenStream } from '../model/token';

/** A token as it is named in a sentence: its text, or the patch of the picture that it shows, and its place. */
export function quoted(stream: TokenStream, position: number): TerminalText {
  const patch = stream.grid && patchWords(stream.grid, position);
  if (patch !== undefined) return line`${patch} (${position})`;
  return line`"${visibleText(stream, position)}" (${position})`;
}

/** A token of a picture: its patch, or what it is called where it is a special one. */
export function namedPatch({ tokens, grid }: TokenStream, position: number): TerminalText {
  return (grid && patchWords(grid, position)) ?? line`${plain(tokens[position].piece)}`;
}

/** A patch by its row and column from one; undefined for a special token. */
function patchWords(grid: PatchGrid, position: number): TerminalText | undefined {
  const patch = anyPatchAt(grid, position);
  return (
    patch && line`${patch.isOfThumbnail ? line`thumbnail ` : line``}row ${patch.row + 1}, column ${patch.column + 1}`
  );
}

/** The pixels of the picture that was given which a patch shows; null for a special token, and for one beside it. */
export function areaOf(grid: PatchGrid, position: number, picture: PlacedPicture): PlacedPicture['placed'] | null {
  const patch = anyPatchAt(grid, position);
  return (patch && sourceOfPatch(patch.grid, patch, picture)) ?? null;
}
