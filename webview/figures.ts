import type { FigureAnswer, FigureRequest, PanelApi, PanelEvents, PanelIntents } from '../src/panelProtocol';
import type { Connection } from '../src/rpc/connection';
import type { KeptLayout } from './state/layoutState';
import type { Panel } from './state/panel';

/** A page that is about to get the keyboard has it well within this time. */
const focusMilliseconds = 2000;

/** Answers what is asked of this page for figures: what it shows, and pictures, which only a browser can make. */
export function answerFigures(
  panel: Panel,
  kept: KeptLayout,
  connection: Connection<PanelApi, PanelIntents, PanelEvents>,
): void {
  connection.on('figure', (request) => {
    void answer(panel, kept, request)
      .catch((): FigureAnswer => ({ kind: 'failed' }))
      .then((answered) => connection.fire('figure', answered));
  });
}

async function answer(panel: Panel, kept: KeptLayout, request: FigureRequest): Promise<FigureAnswer> {
  switch (request.kind) {
    case 'seen': {
      const { background, foreground } = panel.theme.peek();
      const { compared } = panel.form.peek();
      const { headTable, open } = kept.layout.peek();
      const pair = open.includes('how') ? panel.how.pair.peek() : undefined;
      return {
        kind: 'seen',
        seen: {
          background,
          foreground,
          sort: headTable.sort,
          ...(compared === undefined ? {} : { compared }),
          ...(pair === undefined ? {} : { pair: { query: pair.query, key: pair.key } }),
        },
      };
    }
    case 'drawn': {
      const png = await panel.drawFigure();
      return png === undefined ? { kind: 'failed' } : { kind: 'picture', png };
    }
    case 'picture':
      return { kind: 'picture', png: new Uint8Array(await (await pictureOf(request)).arrayBuffer()) };
    case 'copy': {
      const [picture] = await Promise.all([pictureOf(request), focused()]);
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
      return { kind: 'copied' };
    }
  }
}

/** A figure as a PNG file, so many times as large as it is on a screen of 96 dots an inch. */
async function pictureOf({ svg, times }: { readonly svg: string; readonly times: number }): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.round(image.width * times), Math.round(image.height * times)];
  canvas.getContext('2d', { alpha: false })?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) throw new RangeError('The picture is too large.');
  return blob;
}

/** Resolves when this page has the keyboard, or will hardly get it. */
function focused(): Promise<void> {
  if (document.hasFocus()) return Promise.resolve();
  return new Promise((resolve) => {
    addEventListener('focus', () => resolve(), { once: true });
    setTimeout(resolve, focusMilliseconds);
  });
}
