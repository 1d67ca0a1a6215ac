import type { MatrixStyle } from './drawMatrix';

const lineHeight = 18;
const edge = 8;

/** A matrix as a PNG file, as it is on the screen, below lines that say what it is. Undefined where the page can make none. */
export async function drawFigure(
  matrix: HTMLCanvasElement,
  lines: readonly string[],
  { background, foreground, fontFamily }: MatrixStyle,
): Promise<Uint8Array | undefined> {
  const ratio = window.devicePixelRatio || 1;
  const top = Math.ceil((lines.length * lineHeight + 2 * edge) * ratio);
  const canvas = document.createElement('canvas');
  canvas.width = matrix.width;
  canvas.height = matrix.height + top;
  const context = canvas.getContext('2d');
  if (context === null) return undefined;
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(matrix, 0, top);
  context.scale(ratio, ratio);
  context.fillStyle = foreground;
  context.textBaseline = 'middle';
  context.font = `12px ${fontFamily}`;
  lines.forEach((line, i) =>
    context.fillText(line, edge, edge + (i + 0.5) * lineHeight, canvas.width / ratio - 2 * edge),
  );
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  return blob === null ? undefined : new Uint8Array(await blob.arrayBuffer());
}
