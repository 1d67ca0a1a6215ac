import { plain } from '../../base/safeText';
import { visibleText, type TokenStream } from '../../model/token';

/** One token a line, with tabs between, as spreadsheets take it. */
export function weightsTable(stream: TokenStream, weights: Float32Array): string {
  const lines = Array.from(
    weights,
    (weight, position) => `${position}\t${cell(visibleText(stream, position))}\t${weight}`,
  );
  return `${['position', 'token', 'weight'].join('\t')}\n${lines.join('\n')}\n`;
}

/** A text that no spreadsheet takes for a formula. */
function cell(text: string): string {
  const line = plain(text);
  return /^[=+\-@"']/.test(line) ? `'${line}` : line;
}
