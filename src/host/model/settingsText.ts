import { createScanner, type SyntaxKind } from 'jsonc-parser';

// The enumeration itself cannot be imported: it is an ambient one of constants.
const openBrace = 1 satisfies SyntaxKind.OpenBraceToken;
const closeBrace = 2 satisfies SyntaxKind.CloseBraceToken;
const openBracket = 3 satisfies SyntaxKind.OpenBracketToken;
const closeBracket = 4 satisfies SyntaxKind.CloseBracketToken;
const comma = 5 satisfies SyntaxKind.CommaToken;
const colon = 6 satisfies SyntaxKind.ColonToken;
const string = 10 satisfies SyntaxKind.StringLiteral;
const end = 17 satisfies SyntaxKind.EOF;

/** Settings stand at most so deep: `settings` of a workspace's file, then the section, then the key. */
const deepest = 3;

/**
 * Whether the text of a settings file (JSON with comments, of any quality) gives a value to one of some settings, by their whole
 * names, also where they are written as `"section": { "key": … }`. Takes time in proportion to the text, however it is made.
 * @param inside the property that the settings stand in, where they are not the file itself.
 */
export function namesSetting(settingsText: string, names: ReadonlySet<string>, inside?: string): boolean {
  const scanner = createScanner(settingsText, true);
  /** The property that each open bracket belongs to; of those too deep only how many there are. */
  const path: string[] = [];
  let depth = 0;
  /** The last string, and whether a colon has followed it. */
  let key: string | undefined;
  let isValue = false;
  for (let token = scanner.scan(); token !== end; token = scanner.scan()) {
    switch (token) {
      case openBrace:
      case openBracket:
        if (depth <= deepest) path[depth] = isValue && key !== undefined ? key : '';
        depth++;
        key = undefined;
        isValue = false;
        break;
      case closeBrace:
      case closeBracket:
        depth = Math.max(0, depth - 1);
        key = undefined;
        isValue = false;
        break;
      case colon:
        isValue = key !== undefined;
        break;
      case comma:
        key = undefined;
        isValue = false;
        break;
      default: {
        const text = token === string ? scanner.getTokenValue() : undefined;
        // An empty model path is none.
        if (
          isValue &&
          text !== '' &&
          depth >= 1 &&
          depth <= deepest &&
          names.has(settingName(path, depth, String(key), inside) ?? '')
        )
          return true;
        key = isValue ? undefined : text;
        isValue = false;
      }
    }
  }
  return false;
}

/** The whole name of a setting by where it stands; undefined outside of what has settings. */
function settingName(
  path: readonly string[],
  depth: number,
  key: string,
  inside: string | undefined,
): string | undefined {
  const parts = [...path.slice(1, depth), key];
  if (inside !== undefined && parts.shift() !== inside) return undefined;
  return parts.join('.');
}
