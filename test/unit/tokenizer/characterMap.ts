/** A node of the trie over bytes that a character map is compiled from. */
interface Node {
  readonly children: Map<number, Node>;
  value: number | undefined;
}

/** Compiles replacement rules as SentencePiece does: the size of a Darts double array, the array, the replacements; base64. */
export function makeCharacterMap(rules: Readonly<Record<string, string>>): string {
  const texts: number[] = [];
  const root: Node = { children: new Map(), value: undefined };
  for (const [from, to] of Object.entries(rules)) {
    let node = root;
    for (const byte of Buffer.from(from)) {
      const child: Node = node.children.get(byte) ?? { children: new Map(), value: undefined };
      node.children.set(byte, child);
      node = child;
    }
    node.value = texts.length;
    texts.push(...Buffer.from(to), 0);
  }
  const units = buildDoubleArray(root);
  const bytes = Buffer.alloc(4 + units.length * 4 + texts.length);
  bytes.writeUInt32LE(units.length * 4, 0);
  units.forEach((unit, i) => bytes.writeUInt32LE(unit, 4 + i * 4));
  Buffer.from(texts).copy(bytes, 4 + units.length * 4);
  return bytes.toString('base64');
}

/** Units hold a label (8 bits), whether a value follows (bit 8), and the offset to the children (from bit 10). */
function buildDoubleArray(root: Node): number[] {
  const units: (number | undefined)[] = [0];
  // Two nodes with one base would have each other's children.
  const bases = new Set<number>();
  const place = (node: Node, at: number): void => {
    const labels = [...(node.value === undefined ? [] : [0]), ...node.children.keys()];
    let base = 1;
    // Children stand at `base ^ label`, and base is found from here by exclusive or.
    while (bases.has(base) || labels.some((label) => units[base ^ label] !== undefined)) base++;
    bases.add(base);
    units[at] = ((units[at] ?? 0) | ((base ^ at) << 10) | (node.value === undefined ? 0 : 0x100)) >>> 0;
    for (const label of labels) units[base ^ label] = label;
    if (node.value !== undefined) units[base] = (node.value | 0x80000000) >>> 0;
    for (const [label, child] of node.children) place(child, base ^ label);
  };
  place(root, 0);
  // Every place that a lookup can reach exists.
  return Array.from({ length: Math.ceil(units.length / 256) * 256 }, (_, i) => units[i] ?? 0);
}
