// Functions that run inside the workbench's page: each stands alone, as only its own text is sent there.

/** One run of decorated characters on one line. */
export interface Decoration {
  /** Line and columns count from one; `endColumn` is the first one after it. */
  readonly line: number;
  readonly startColumn: number;
  readonly endColumn: number;
  readonly text: string;
  /** Computed CSS colours, e.g. `rgba(255, 0, 0, 0.5)`. */
  readonly backgroundColor: string;
  readonly border: string;
  /** The border above, where only there is one. */
  readonly bar: string | undefined;
  readonly outline: string;
}

/** The place of a character in the window, or undefined when its line is not rendered. */
export function rectOfCharacter(
  editor: Element,
  { line, column }: { line: number; column: number },
): { x: number; y: number; width: number; height: number } | undefined {
  const number = [...editor.querySelectorAll('.margin .line-numbers')].find(
    (element) => element.textContent?.trim() === String(line),
  );
  if (number === undefined) return undefined;
  const top = number.getBoundingClientRect().top;
  const viewLine = [...editor.querySelectorAll('.view-line')].find(
    (element) => Math.abs(element.getBoundingClientRect().top - top) < 3,
  );
  if (viewLine === undefined) return undefined;
  const walker = document.createTreeWalker(viewLine, NodeFilter.SHOW_TEXT);
  let left = column - 1;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    if (left < length) {
      const range = document.createRange();
      range.setStart(node, left);
      range.setEnd(node, left + 1);
      const { x, y, width, height } = range.getBoundingClientRect();
      return { x, y, width, height };
    }
    left -= length;
  }
  return undefined;
}

/** All decorations of extensions in the rendered lines, by line and column. */
export function readDecorations(editor: Element): Decoration[] {
  const numbers = [...editor.querySelectorAll('.margin .line-numbers')].map((element) => ({
    top: element.getBoundingClientRect().top,
    line: Number(element.textContent?.trim()),
  }));
  const lines = [...editor.querySelectorAll('.view-line')].map((element) => {
    const characters: { left: number; right: number; text: string }[] = [];
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.textContent ?? '';
      for (let i = 0; i < text.length; i++) {
        const range = document.createRange();
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const { left, right } = range.getBoundingClientRect();
        characters.push({ left, right, text: text.charAt(i).replace(/\u00a0/g, ' ') });
      }
    }
    return { top: element.getBoundingClientRect().top, characters };
  });
  const found: Decoration[] = [];
  for (const element of editor.querySelectorAll('.view-overlays [class*="ced-"]')) {
    const rect = element.getBoundingClientRect();
    const middle = rect.top + rect.height / 2;
    const line = lines.find(({ top }) => middle > top && middle < top + 60 && Math.abs(top - rect.top) < 12);
    const number = numbers.find(({ top }) => line !== undefined && Math.abs(top - line.top) < 3);
    if (line === undefined || number === undefined) continue;
    const first = line.characters.findIndex(({ left, right }) => (left + right) / 2 > rect.left);
    const covered =
      first < 0 ? [] : line.characters.slice(first).filter(({ left, right }) => (left + right) / 2 < rect.right);
    const style = getComputedStyle(element);
    const startColumn = (first < 0 ? line.characters.length : first) + 1;
    found.push({
      line: number.line,
      startColumn,
      endColumn: startColumn + covered.length,
      text: covered.map(({ text }) => text).join(''),
      backgroundColor: style.backgroundColor,
      bar:
        parseFloat(style.borderBottomWidth) === 0 && parseFloat(style.borderTopWidth) > 0
          ? `${style.borderTopWidth} ${style.borderTopColor}`
          : undefined,
      border: `${style.borderTopWidth} ${style.borderTopStyle} ${style.borderTopColor}`,
      outline: `${style.outlineWidth} ${style.outlineStyle} ${style.outlineColor}`,
    });
  }
  return found.sort((a, b) => a.line - b.line || a.startColumn - b.startColumn);
}
