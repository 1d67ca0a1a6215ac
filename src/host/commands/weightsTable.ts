import { plain } from '../../base/safeText';
import { methodOf, type MethodId } from '../../model/methods';
import { visibleText, type TokenStream } from '../../model/token';

/** One token a line, with tabs between, as spreadsheets take it; the numbers are headed by what they are, and their unit where that is no share. */
export function weightsTable(stream: TokenStream, weights: Float32Array, method: MethodId = 'attention'): string {
  const { title, unit } = methodOf(method);
  const name = method === 'attention' ? 'weight' : unit === 'share' ? title : `${title} (length, model's own units)`;
  const lines = Array.from(
    weights,
    (weight, position) => `${position}\t${cell(visibleText(stream, position))}\t${weight}`,
  );
  return `${['position', 'token', name].join('\t')}\n${lines.join('\n')}\n`;
}

/** A text that no spreadsheet takes for a formula. */
function cell(text: string): string {
  const line = plain(text);
  return /^[=+\-@"']/.test(line) ? `'${line}` : line;
}
