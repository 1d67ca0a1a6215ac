/** The offset in the text of a place in the rendered lines, or undefined outside of them. */
function offsetOf(node: Node, offset: number): number | undefined {
  const element = node instanceof Element ? node : node.parentElement;
  const piece = element?.closest<HTMLElement>('[data-start]');
  if (piece !== null && piece !== undefined) {
    const range = document.createRange();
    range.selectNodeContents(piece);
    range.setEnd(node, offset);
    return Number(piece.dataset['start']) + range.toString().length;
  }
  const line = element?.closest<HTMLElement>('.line');
  if (line !== null && line !== undefined) {
    const child = node === line ? line.children[offset] : undefined;
    const start = child instanceof HTMLElement ? child.dataset['start'] : undefined;
    if (start !== undefined) return Number(start);
    return Number(offset === 0 ? line.dataset['from'] : line.dataset['to']);
  }
  if (!(node instanceof Element)) return undefined;
  const lines = node.querySelectorAll<HTMLElement>('.line');
  const child = node.children[offset];
  const next = child?.matches('.line') ? child : child?.querySelector('.line');
  if (next instanceof HTMLElement) return Number(next.dataset['from']);
  return lines.length > 0 ? Number(lines[lines.length - 1].dataset['to']) : undefined;
}

/** The part of the original text that is selected in its rendered lines, line breaks and tabs as they are; undefined where none is. */
export function selectedText(root: Element, text: string, selection: Selection | null): string | undefined {
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return undefined;
  const range = selection.getRangeAt(0);
  if (!range.intersectsNode(root)) return undefined;
  const from = root.contains(range.startContainer) ? offsetOf(range.startContainer, range.startOffset) : 0;
  const to = root.contains(range.endContainer) ? offsetOf(range.endContainer, range.endOffset) : text.length;
  if (from === undefined || to === undefined || to <= from) return undefined;
  return text.slice(from, to);
}
