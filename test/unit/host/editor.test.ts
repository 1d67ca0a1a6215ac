import { expect } from 'chai';
import fc from 'fast-check';
import {
  barOf,
  bucketOf,
  depthOfBucket,
  maxHighlights,
  numBars,
  numDepths,
  planHighlights,
} from '../../../src/host/editor/decorationPlan';
import { depthStyles } from '../../../src/host/editor/depthStyles';
import { codeSpan, commandLink, md } from '../../../src/base/markdown';
import { visibleNext, visibleText, type TokenStream } from '../../../src/model/token';
import { hostileTexts, unseenCharacters } from '../../harness/hostileTexts';
import { readers } from '../../harness/readMarkdown';
import { bar, cardMarkdown, weightText } from '../../../src/host/editor/hoverCard';
import { nextHead } from '../../../src/host/commands/nextHead';
import { weightsTable } from '../../../src/host/commands/weightsTable';
import type { Direction } from '../../../src/model/pattern';
import { rampFor, surprisalRamp, type Ramp, type Rgb } from '../../../src/model/ramp';
import { scales } from '../../../src/model/viewState';
import { runInfo } from './fakeEngine';

const tokens = (...ranges: [number, number][]) =>
  ranges.map(([start, end], id) => ({ id, piece: `p${id}`, start, end, isSpecial: start === end }));

describe('What is lit in the editor', () => {
  it('is the strongest first, with the depth of its weight', () => {
    const plan = planHighlights(tokens([0, 3], [3, 4], [4, 9]), Float32Array.of(0.25, 0.05, 0.7), {
      scale: 'absolute',
      threshold: 0,
    });
    expect(plan.map(({ start, end, bucket }) => [start, end, bucket])).to.deep.equal([
      [4, 9, 11],
      [0, 3, 3],
      [3, 4, 0],
    ]);
  });

  it('follows the scale: by row the strongest has full depth', () => {
    expect(
      planHighlights(tokens([0, 1], [1, 2]), Float32Array.of(0.02, 0.01), { scale: 'row', threshold: 0 }).map(
        ({ bucket }) => bucket,
      ),
    ).to.deep.equal([15, 7]);
  });

  it('leaves out what stands for no text, what is below the threshold, and zero', () => {
    expect(
      planHighlights(tokens([0, 0], [0, 2], [2, 3], [3, 4]), Float32Array.of(0.5, 0.3, 0.1, 0), {
        scale: 'absolute',
        threshold: 0.2,
      }).map(({ start }) => start),
    ).to.deep.equal([0]);
  });

  it('lights a character once where several tokens share it, with the strongest', () => {
    const plan = planHighlights(tokens([0, 2], [0, 2], [2, 3]), Float32Array.of(0.1, 0.6, 0.3), {
      scale: 'absolute',
      threshold: 0,
    });
    expect(plan).to.have.length(2);
    expect(plan[0].weight).to.be.closeTo(0.6, 1e-6);
  });

  it('is never more than forty places, in order, with buckets that there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { maxLength: 120 }),
        fc.constantFrom(...scales),
        (weights, scale) => {
          const plan = planHighlights(
            tokens(...weights.map((_, i): [number, number] => [i, i + 1])),
            Float32Array.from(weights),
            { scale, threshold: 0 },
          );
          expect(plan.length).to.be.at.most(maxHighlights);
          for (let i = 1; i < plan.length; i++) expect(plan[i - 1].weight).to.be.at.least(plan[i].weight);
          for (const { bucket } of plan) expect(bucket).to.be.within(0, numDepths - 1);
        },
      ),
    );
  });

  it('has a bucket for every depth, deeper for more', () => {
    expect([0, 0.0099, 0.01, 1 / 16, 0.07, 0.5, 1].map(bucketOf)).to.deep.equal([undefined, undefined, 0, 0, 1, 7, 15]);
    expect(depthOfBucket(numDepths - 1)).to.equal(1);
    for (let bucket = 0; bucket < numDepths; bucket++) expect(bucketOf(depthOfBucket(bucket))).to.equal(bucket);
  });

  it('has bars in a selection, thicker for more, and none for next to nothing', () => {
    expect([0, 0.0099, 0.01, 0.0999, 0.1, 0.39, 0.4, 1].map(barOf)).to.deep.equal([
      undefined,
      undefined,
      0,
      0,
      1,
      1,
      2,
      2,
    ]);
    expect(
      planHighlights(tokens([0, 1]), Float32Array.of(0.25), { scale: 'absolute', threshold: 0 })[0].depth,
    ).to.equal(0.25);
    for (let depth = 0; depth <= 1; depth += 1 / 64) expect(barOf(depth) ?? 0).to.be.below(numBars);
  });

  it('has a look for each depth in every theme, and outlines by thickness in high contrast', () => {
    const blue =
      (direction: Direction) =>
      (background: Rgb, foreground: Rgb): Ramp =>
        rampFor('blue', background, foreground, direction);
    for (const kind of ['light', 'dark', 'highContrastDark', 'highContrastLight'] as const) {
      const styles = depthStyles(blue('reads'), kind);
      expect(new Set(styles.map(({ background }) => background)).size).to.equal(numDepths);
      const widthOf = (depth: number): number | undefined => styles[bucketOf(depth) ?? numDepths]?.outlineWidth;
      expect([0.0002, 0.02, 0.09, 0.3, 0.9].map(widthOf), kind).to.deep.equal(
        kind.startsWith('highContrast') ? [undefined, 1, 1, 2, 3] : [undefined, 0, 0, 0, 0],
      );
    }
    const strongest = [blue('reads'), blue('readBy'), surprisalRamp].map(
      (ramp) => depthStyles(ramp, 'dark')[15].background,
    );
    expect(new Set(strongest).size).to.equal(3);
  });
});

describe('The hover card', () => {
  const card = {
    runId: 3,
    token: { stream: 0, position: 1 },
    text: 'fib',
    facts: md`token 1 · id 42`,
    caption: md`reads, in head 3.5:`,
    sources: [
      { token: { stream: 0, position: 0 }, text: '`def`', weight: 0.4123, isInDocument: true, place: md`line 12` },
    ],
    nothing: md`nothing`,
    commands: [{ title: md`Pin`, command: 'attentionExplorer.pinToken' }],
    revealCommand: 'attentionExplorer.revealToken',
  };

  it('has the token, the head, the sources with bar, number and link, and the commands', () => {
    const markdown = cardMarkdown(card);
    expect(markdown)
      .to.include('**`fib`** · token 1 · id 42')
      .and.to.include('reads, in head 3.5:')
      .and.to.include('0.412')
      .and.to.include('line 12')
      .and.to.include('████▏');
    const links = [...markdown.matchAll(/command:([\w.]+)\?([^)]*)\)/g)].map(([, command, args]) => [
      command,
      JSON.parse(decodeURIComponent(args)),
    ]);
    expect(links).to.deep.equal([
      ['attentionExplorer.revealToken', [3, { stream: 0, position: 0 }]],
      ['attentionExplorer.pinToken', [3, { stream: 0, position: 1 }]],
    ]);
  });

  it('has no link, picture or mark but its own, whatever a token says', () => {
    for (const [name, text] of Object.entries(hostileTexts)) {
      const token = { id: 1, piece: text, start: 0, end: 0, isSpecial: true };
      const stream: TokenStream = {
        role: 'target',
        text,
        tokens: [token, { ...token, isSpecial: false, end: text.length }, { ...token, template: text }],
        target: { isWritten: true, ending: text },
      };
      const shown = stream.tokens.map((_, position) => visibleText(stream, position));
      const sources = shown.map((each, position) => ({
        token: { stream: 0, position },
        text: each,
        weight: 0.5,
        isInDocument: true,
        place: md`before ${codeSpan(visibleNext(stream, position) ?? '')}`,
      }));
      for (const each of shown) {
        const markdown = cardMarkdown({ ...card, text: each, sources });
        expect(markdown.replaceAll('\n', ''), name).to.not.match(unseenCharacters);
        expect(markdown.length, name).to.be.lessThan(6000);
        for (const read of Object.values(readers)) {
          const { kinds, addresses } = read(markdown);
          expect(
            addresses.map((address) => /^command:([\w.]+)\?/.exec(address)?.[1]),
            name,
          ).to.deep.equal([...sources.map(() => 'attentionExplorer.revealToken'), 'attentionExplorer.pinToken']);
          expect(
            [...new Set(kinds.map((kind) => kind.replace(/_open$/, '')))].filter(
              (kind) => !['paragraph', 'strong', 'code_inline', 'codespan', 'br', 'hardbreak', 'link'].includes(kind),
            ),
            name,
          ).to.deep.equal([]);
        }
      }
    }
  });

  it('has the strongest the other way round on one line, with links', () => {
    const markdown = cardMarkdown({
      ...card,
      others: {
        caption: md`is read by:`,
        sources: [
          { ...card.sources[0], weight: 0.31 },
          { ...card.sources[0], text: 'x', weight: 0.2, isInDocument: false },
        ],
      },
    });
    const line = markdown.split('\n').find((each) => each.startsWith('is read by:'));
    expect(line).to.match(/^is read by: \[.*\]\(command:attentionExplorer\.revealToken\?.*\) 0\.310 · `x` 0\.200$/);
    expect(cardMarkdown({ ...card, others: { caption: md`is read by:`, sources: [] } })).to.not.include('is read by');
  });

  it('says so where there is no source', () => {
    expect(cardMarkdown({ ...card, sources: [] })).to.include('nothing');
  });

  it('has bars of one width, in eighths', () => {
    expect(bar(0)).to.equal('\u2007'.repeat(10));
    expect(bar(1)).to.equal('█'.repeat(10));
    expect(bar(0.5)).to.equal(`${'█'.repeat(5)}${'\u2007'.repeat(5)}`);
    expect(bar(2)).to.equal(bar(1));
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (weight) => void expect(bar(weight)).to.have.length(10)),
    );
  });

  it('never says zero of what is not', () => {
    expect([0, 0.0001, 0.0005, 0.31249, 1].map(weightText)).to.deep.equal([
      '0.000',
      '<0.001',
      '0.001',
      '0.312',
      '1.000',
    ]);
  });

  it('cannot be broken out of by a token', () => {
    expect(codeSpan('`')).to.equal('`` ` ``');
    expect(codeSpan('a```b')).to.equal('````a```b````');
    expect(codeSpan('a\nb')).to.equal('`a↵b`');
    expect(codeSpan('')).to.equal('`∅`');
    expect(commandLink(md`x`, 'c', [')](command:evil)'])).to.not.include(')](command:evil');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('`', 'a', ' ', '\n', ']', '\\') }), (text) => {
        const span = codeSpan(text);
        const fence = /^`+/.exec(span)?.[0] ?? '';
        expect(span.slice(fence.length, -fence.length)).to.not.match(new RegExp(`(^|[^\`])${fence}([^\`]|$)`));
        expect(span).to.not.include('\n');
      }),
    );
  });
});

describe('Weights as a table', () => {
  it('have one token a line, none of which is a formula or makes a cell of its own', () => {
    const texts = ['=1+1', '+', '-2', '@x', "'", '"', 'a\tb', 'c\nd', 'def'];
    const stream: TokenStream = { role: 'source', text: texts.join(''), tokens: [] };
    let start = 0;
    const made = texts.map((text, id) => ({ id, piece: text, start, end: (start += text.length), isSpecial: false }));
    const lines = weightsTable(
      { ...stream, tokens: made },
      Float32Array.from(texts, (_, i) => i / 16),
    )
      .trimEnd()
      .split('\n');
    expect(lines[0]).to.equal('position\ttoken\tweight');
    expect(lines).to.have.length(texts.length + 1);
    for (const [position, line] of lines.slice(1).entries()) {
      const cells = line.split('\t');
      expect(cells).to.have.length(3);
      expect([cells[0], Number(cells[2])]).to.deep.equal([String(position), position / 16]);
      expect(cells[1]).to.not.match(/^[=+\-@"]/);
    }
  });
});

describe('Numbers of a method as a table', () => {
  it('are headed by the method, with their unit', () => {
    const stream: TokenStream = { role: 'source', text: '', tokens: [] };
    const head = (method: 'norm' | 'rollout') => weightsTable(stream, new Float32Array(0), method).trimEnd();
    expect(head('norm')).to.equal("position\ttoken\tnorm-weighted attention (length, model's own units)");
    expect(head('rollout')).to.equal('position\ttoken\tattention rollout');
  });
});

describe('The next head', () => {
  const { components } = runInfo(1, 'a');
  const at = (layer: number, head: number) =>
    ({ component: 'self', heads: [{ layer, head }], aggregation: 'mean' }) as const;

  it('goes along the layer, on to the next layer, and round', () => {
    expect(nextHead(at(0, 0), components)).to.deep.equal(at(0, 1));
    expect(nextHead(at(0, 1), components)).to.deep.equal(at(1, 0));
    expect(nextHead(at(1, 1), components)).to.deep.equal(at(0, 0));
    expect(nextHead(at(0, 1), components, -1)).to.deep.equal(at(0, 0));
    expect(nextHead(at(1, 0), components, -1)).to.deep.equal(at(0, 1));
    expect(nextHead(at(0, 0), components, -1)).to.deep.equal(at(1, 1));
  });
});
