import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FrameLocator, Locator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { temporaryFolder } from '../../scripts/lib/processes.mjs';
import { expectEventually } from '../harness/eventually';
import { keepEvidenceOfFailures, themes, VSCode, type Theme } from '../harness/vscode';

interface Explained {
  readonly tokens: readonly {
    readonly id: number;
    readonly start: number;
    readonly end: number;
    readonly isSpecial: boolean;
  }[];
  readonly components: readonly {
    readonly heads: readonly unknown[];
    readonly reads: readonly (readonly { readonly position: number; readonly weight: number }[])[];
  }[];
}

/** What the command line says of the same lines and head: the numbers that the panel must show. */
function explainByCommandLine(file: string, head: string): Explained {
  return JSON.parse(
    execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), 'explain', file, '--head', head, '--json'], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    }),
  ) as Explained; // our own output
}

const file = 'fibonacci.py';
const [firstLine, lastLine] = [6, 10];
const [layer, head] = [2, 5];

describe(`Explaining attention, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  let explained: Explained;
  let text: string;
  keepEvidenceOfFailures(() => vscode);

  const tokens = (): Locator => panel.locator('.stream [data-token]');
  const list = (): Locator => panel.getByRole('region', { name: 'Strongest sources' });
  const headCell = (name: string): Locator =>
    panel.getByRole('gridcell', { name: new RegExp(`^head ${name.replace('.', '\\.')}\\b`, 'i') });
  /** The longest plain token of the second line: one that a pointer can hit. */
  const someToken = (): number => {
    const from = text.indexOf('\n') + 1;
    const to = text.indexOf('\n', from);
    const candidates = explained.tokens
      .map((token, position) => ({ ...token, position }))
      .filter(
        (token) => token.start >= from && token.end <= to && /^\w+$/.test(text.slice(token.start, token.end).trim()),
      );
    return candidates.sort((a, b) => b.end - b.start - (a.end - a.start))[0]?.position ?? 0;
  };
  const placeOf = (position: number): { line: number; column: number } => {
    const start = explained.tokens[position].start + (/^\s/.test(text.slice(explained.tokens[position].start)) ? 1 : 0);
    const before = text.slice(0, start).split('\n');
    return { line: firstLine + before.length - 1, column: (before.at(-1) ?? '').length + 1 };
  };

  before(async function () {
    this.timeout(180_000);
    text = readFileSync(join(root, 'media/sample', file), 'utf8')
      .split('\n')
      .slice(firstLine - 1, lastLine)
      .join('\n');
    vscode = await VSCode.launch({ name: 'explain', settings: { 'attentionExplorer.selection': 'alone' } });
    // What is selected ends before the last line's break.
    const selection = join(temporaryFolder('selection'), 'selection.txt');
    writeFileSync(selection, text);
    explained = explainByCommandLine(selection, `${layer}.${head}`);
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('opens the panel beside the editor with the text, its tokens, every head and the matrix', async function () {
    this.timeout(180_000);
    await vscode.openFile(file);
    await vscode.selectLines(firstLine, lastLine);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await vscode.waitForTab(/Attention Explorer: fibonacci\.py 6–10/);
    await panel.getByRole('grid').waitFor({ timeout: 120_000 });
    // Each token has an element of its own; one that spans a line break has one a line.
    const positions = await tokens().evaluateAll(
      (elements) => new Set(elements.map((element) => (element as HTMLElement).dataset['token'])).size,
    );
    expect(positions).to.equal(explained.tokens.length);
    const lines = await panel
      .locator('.stream .line')
      .evaluateAll((elements) =>
        elements.map((element) =>
          [...element.querySelectorAll('[data-token]:not(.chip)')].map((token) => token.textContent).join(''),
        ),
      );
    expect(lines.join('\n').replaceAll('\u00a0', ' ')).to.contain('def fibonacci_slow(n: int) -> int:\n');
    expect(await panel.getByRole('gridcell').count()).to.equal(explained.components[0]?.heads.length);
    expect(await panel.locator('.chip').first().getAttribute('data-label')).to.contain('endoftext');
    await panel.locator('canvas.matrix-base').waitFor();
    await vscode.waitForStatusBar(new RegExp(`code-decoder.*wasm.*${explained.tokens.length} tokens`));
    await vscode.screenshot('1-panel');
  });

  it('tells what is lit from the selection that it stands in', async () => {
    for (const theme of VSCode.hostOfRun === 'node' ? (['light', 'dark'] as const) : []) {
      await vscode.setTheme(theme);
      await expectEventually(async () => {
        const bars = (await vscode.decorations()).flatMap(({ bar, line }) => (bar === undefined ? [] : [line]));
        expect(bars.length).to.be.greaterThan(0);
        for (const line of bars) expect(line).to.be.within(firstLine, lastLine);
      });
      await vscode.screenshot(`1-selected-${theme}`);
    }
  });

  it('selects a head in the grid, and the matrix names it', async () => {
    await headCell(`${layer}.${head}`).click();
    await panel
      .getByRole('region', { name: 'Matrix' })
      .getByRole('heading', { name: `Head ${layer}.${head}` })
      .waitFor();
  });

  it('pins a token and lists its strongest sources with their true weights', async () => {
    const position = someToken();
    await tokens()
      .and(panel.locator(`[data-token="${position}"]`))
      .first()
      .click();
    await list().getByRole('listitem').first().waitFor();
    const rows = await list()
      .getByRole('listitem')
      .evaluateAll((items) =>
        items.map((item) => ({
          name: item.querySelector('.link, .name')?.textContent ?? '',
          weight: Number(item.querySelector('.number')?.getAttribute('title')),
        })),
      );
    const expected = explained.components[0]?.reads[position] ?? [];
    expect(expected.length).to.be.greaterThan(0);
    expected.slice(0, rows.length).forEach((source, i) => {
      expect(rows[i]?.name, `source ${i}`).to.match(new RegExp(`\\(${source.position}\\)$`));
      expect(rows[i]?.weight).to.be.closeTo(source.weight, source.weight * (source.weight < 1e-4 ? 6e-2 : 6e-3));
    });
    await vscode.screenshot('2-pinned');
  });

  it('lights the sources up in the editor, the strongest most', async () => {
    const position = someToken();
    const sources = (explained.components[0]?.reads[position] ?? []).filter(
      ({ position: source }) => !explained.tokens[source].isSpecial,
    );
    const place = placeOf(sources[0].position);
    await expectEventually(async () => {
      const decorations = await vscode.decorations();
      const lit = decorations.filter(({ backgroundColor }) => alphaOf(backgroundColor) > 0);
      expect(
        lit.some(
          ({ line, startColumn, endColumn }) =>
            line === place.line && startColumn <= place.column && place.column < endColumn,
        ),
        `${JSON.stringify(place)} in ${JSON.stringify(lit)}`,
      ).to.equal(true);
      expect(lit.length).to.be.at.most(41);
    });
  });

  it('goes to a source in the editor from the list', async () => {
    const position = someToken();
    const shown = (explained.components[0]?.reads[position] ?? []).find(
      ({ position: source }) => !explained.tokens[source].isSpecial,
    );
    if (shown === undefined) throw new Error('the token reads special tokens only');
    const place = placeOf(shown.position);
    await list()
      .getByRole('button', { name: new RegExp(`^".*" \\(${shown.position}\\)$`) })
      .click();
    await vscode.waitForStatusBar(new RegExp(`Ln ${place.line}, Col`));
  });

  it('offers what one does with a token in its menu, and no Cut, Copy and Paste', async () => {
    const menu = vscode.page.locator('.monaco-menu');
    await tokens()
      .and(panel.locator(`[data-token="${someToken()}"]`))
      .first()
      .click({ button: 'right' });
    await menu.getByText('Copy Weights').waitFor();
    expect(
      (await menu.locator('.action-label:not(.separator)').allInnerTexts()).map((text) => text.trim()),
    ).to.deep.equal([
      'Pin or Unpin',
      'Copy Weights',
      'How This Weight Came About',
      'Block This Weight',
      'Silence the Selected Heads',
      'Export…',
      'Export Numbers…',
      'Save Explanation…',
    ]);
    await vscode.screenshot('2-menu');
    await vscode.page.keyboard.press('Escape');
  });

  it('turns around: who reads the pinned token', async () => {
    await panel.getByRole('button', { name: 'Read by' }).click();
    await list()
      .getByRole('heading', { name: /is read by/ })
      .waitFor();
    await panel.getByRole('button', { name: 'Reads', exact: true }).click();
    await list()
      .getByRole('heading', { name: /\breads\b/ })
      .waitFor();
  });

  it('names the cell under the pointer in the matrix', async () => {
    const plot = panel.locator('.matrix-plot');
    const box = await plot.boundingBox();
    if (box === null) throw new Error('the matrix is not there');
    await vscode.page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.7);
    await expectEventually(async () =>
      expect(await panel.locator('.readout.crosshair').textContent()).to.match(
        /from ".+" \(\d+\) to ".+" \(\d+\): (?:<?\d|hidden)/,
      ),
    );
  });

  it('shows a card over a token in the editor, with links and numbers', async () => {
    await panel.locator('.source-scroll').press('Escape');
    const place = placeOf(someToken());
    const card = await vscode.hoverAt(place.line, place.column);
    await expectEventually(async () => {
      const words = await card.innerText();
      expect(words).to.contain(String(explained.tokens[someToken()].id));
      expect(words).to.match(/0?\.\d\d/);
      expect(words).to.match(/head \d+\.\d+/i);
      expect(words).to.contain('Pin');
    });
    await vscode.screenshot('3-hover');
  });

  it('lets go of everything when the text is edited, says so, and runs again', async () => {
    await vscode.goTo(firstLine + 2, 5);
    await vscode.type('# changed\n    ');
    await panel.locator('.stale').getByText('Run again').waitFor();
    await vscode.screenshot('4-stale');
    await panel.locator('.stale').getByText('Run again').click();
    await panel.locator('.stale').getByText('Run again').waitFor({ state: 'detached', timeout: 60_000 });
    await expectEventually(async () =>
      expect(await panel.locator('.stream').first().innerText()).to.contain('changed'),
    );
  });

  it('comes back after a reload of the window with the same head', async function () {
    this.timeout(180_000);
    await headCell('3.1').click();
    await panel.getByRole('heading', { name: 'Head 3.1' }).waitFor();
    await vscode.page.keyboard.press('Control+S');
    await vscode.focusEditor();
    await vscode.page.keyboard.press('Control+S');
    await vscode.reloadWindow();
    await panel.getByRole('grid').waitFor({ timeout: 120_000 });
    await panel.getByRole('heading', { name: 'Head 3.1' }).waitFor();
    await vscode.screenshot('5-restored');
  });

  it('reads a word in its text where the switch says so, and from then on', async function () {
    this.timeout(120_000);
    const pinned = async (): Promise<string> => (await panel.locator('.token.pinned').allTextContents()).join('');
    const doubleClick = async (line: number, column: number): Promise<void> => {
      const place = await vscode.placeOf(line, column);
      await vscode.page.mouse.dblclick(place.x, place.y);
      await vscode.runCommand('Attention Explorer: Explain Attention');
    };
    await doubleClick(8, 10);
    const mode = panel.getByRole('radiogroup', { name: 'How the selection is read' });
    await mode.getByRole('radio', { name: 'Selection alone', checked: true }).focus();
    await vscode.page.keyboard.press('ArrowLeft');
    await mode.getByRole('radio', { name: 'In context', checked: true }).waitFor();
    await vscode.waitForTab(/fibonacci\.py 8, in lines \d+–8/);
    await doubleClick(19, 14);
    await vscode.waitForTab(/fibonacci\.py 19, in lines \d+–19/);
    await expectEventually(async () => expect(await pinned()).to.match(/^\s?cache$/));
    await vscode.waitForStatusBar(/1 of \d+ tokens/);
    // What it is read with is fainter, and what it reads is lit there and in the editor.
    const [own, other] = await Promise.all(
      ['.line:not(.context) .token:not([class*=" d"])', '.line.context .token:not([class*=" d"])'].map(async (tokens) =>
        panel
          .locator(tokens)
          .first()
          .evaluate((token) => getComputedStyle(token).color),
      ),
    );
    expect(own).to.not.equal(other);
    expect(await panel.locator('.line.context .token[class*=" d"]').count()).to.be.greaterThan(0);
    const box = await panel.locator('.token.pinned').first().boundingBox();
    const room = await panel.locator('.source-scroll').boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 0), 'it is in sight').to.be.at.most((room?.y ?? 0) + (room?.height ?? 0));
    await vscode.screenshot('6-in-context');
  });

  // Themes reach the panel alike, wherever the extension runs.
  const allThemes = VSCode.hostOfRun === 'node' ? (Object.keys(themes) as Theme[]) /* the keys of the table */ : [];

  for (const theme of allThemes) {
    it(`stays readable beside an editor in the theme ${theme}`, async () => {
      await vscode.setTheme(theme);
      await tokens().nth(20).click();
      await list().getByRole('listitem').first().waitFor();
      const [text, background] = await panel
        .locator('body')
        .evaluate((body) => [
          getComputedStyle(body).color,
          getComputedStyle(document.documentElement).getPropertyValue('--vscode-editor-background'),
        ]);
      expect(text).to.not.equal(background);
      await vscode.screenshot(`theme-${theme}`);
      await tokens().nth(20).click();
    });
  }

  // The same in every theme: test/visual/layout.test.ts.
  it('shows all of it alone in every size, what is pinned in sight', async () => {
    await tokens().nth(20).click();
    await vscode.runCommand('View: Maximize Editor Group and Hide Side Bars');
    for (const [width, height] of sizes) {
      await vscode.page.setViewportSize({ width: width + around.width, height: height + around.height });
      await expectEventually(async () => {
        for (const seen of ['.source-scroll', '.token.pinned', '.heads-grid', '.matrix-base', '.sources > li'])
          expect(await panel.locator(seen).first().evaluate(isInView), `${seen} in ${width} × ${height}`).to.equal(
            true,
          );
      });
      await vscode.screenshot(`alone-${width}`);
    }
  });
});

/** Panels from half of a small window to all of a large one, and what a window has around its one panel. */
const sizes = [
  [480, 600],
  [760, 760],
  [1280, 720],
  [1600, 1000],
] as const;
const around = { width: 60, height: 100 };

/** Whether all of an element is seen in the window, and in the text where it stands in that. */
function isInView(element: Element): boolean {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const text = element.parentElement?.closest('.source-scroll')?.getBoundingClientRect();
  const [highest, lowest] = [text?.top ?? 0, text?.bottom ?? window.innerHeight];
  return (
    right > left &&
    bottom > top &&
    left >= 0 &&
    top >= highest - 1 &&
    right <= window.innerWidth + 1 &&
    bottom <= lowest + 1
  );
}

function alphaOf(colour: string): number {
  const parts = colour.match(/[\d.]+/g) ?? [];
  return parts.length === 4 ? Number(parts[3]) : parts.length === 3 ? 1 : 0;
}
