import { expect } from 'chai';
import fc from 'fast-check';
import {
  checkCompareWith,
  checkAct,
  checkChangeView,
  checkEffectParams,
  checkHeadEffectsParams,
  checkHeadRowsParams,
  checkIntervenedParams,
  checkHeadTableParams,
  checkMenuToken,
  checkOverviewParams,
  checkPainted,
  checkPairParams,
  checkPatternParams,
  checkPersisted,
  checkContinuation,
  checkWritesParams,
  checkPredictOtherParams,
  checkPredictParams,
  checkRandomParams,
  checkRowParams,
  checkThumbnailParams,
  checkTileParams,
  checkTokenOrNull,
  checkKept,
} from '../../../src/host/panel/panelMessages';
import { checkFigure } from '../../../src/host/panel/figureMessages';
import { makeNonce, panelHtml } from '../../../src/host/panel/panelHtml';
import type { RunInfo } from '../../../src/model/modelInfo';
import { plainForm } from '../../../src/model/patternForm';
import { initialView } from '../../../src/model/viewState';
import { runInfo } from './fakeEngine';
import { codeOfCall } from '../../harness/codeOf';
import { unseenCharacters } from '../../harness/hostileTexts';

const run = runInfo(7, 'one two three');
const heads = (...refs: [number, number][]) => refs.map(([layer, head]) => ({ layer, head }));
const select = (...refs: [number, number][]) => ({ component: 'self', heads: heads(...refs), aggregation: 'mean' });

describe('What the webview says', () => {
  it('may ask for patterns of heads that the model has', () => {
    expect(checkPatternParams({ runId: 7, selection: select([0, 0], [1, 1]) }, run).selection.heads).to.have.length(2);
  });

  it('may ask what the model predicts, also with a token masked that is there', () => {
    expect(checkPredictParams({ runId: 7 }, run).mask).to.equal(undefined);
    expect(checkPredictParams({ runId: 7, mask: 2 }, run).mask).to.equal(2);
    for (const mask of [run.streams[0].tokens.length, -1, 0.5, '1', null])
      expect(
        codeOfCall(() => checkPredictParams({ runId: 7, mask }, run)),
        String(mask),
      ).to.equal('invalidMessage');
    expect(codeOfCall(() => checkPredictParams({ runId: 8 }, run))).to.equal('unknownRun');
  });

  it('may ask for experiments with heads and tokens that are there, and for no others', () => {
    const question = { kind: 'token', position: run.streams[0].tokens.length, token: ' x' };
    const silence = { kind: 'silence', component: 'self', heads: heads([0, 1]), by: 'mean' };
    const block = { kind: 'block', component: 'self', heads: heads([0, 0], [1, 1]), key: 1, isRenormalized: true };
    const swap = { kind: 'swap', component: 'self', heads: heads([0, 1]) };
    const asked = { runId: 7, question, interventions: [silence, block, swap], path: 'total' };
    expect(checkEffectParams(asked, run)).to.deep.equal(asked);
    expect(checkEffectParams({ ...asked, question: { kind: 'loss' }, interventions: [] }, run).question.kind).to.equal(
      'loss',
    );
    for (const change of [
      { question: { ...question, position: 1e5 } },
      { question: { ...question, token: 'x'.repeat(1000) } },
      { question: { ...question, token: -1 } },
      { question: { kind: 'beauty' } },
      { path: 'indirect' },
      { interventions: Array.from({ length: 100 }, () => silence) },
      { interventions: [{ ...silence, heads: heads([0, 2]) }] },
      { interventions: [{ ...silence, heads: [] }] },
      { interventions: [{ ...swap, heads: heads([9, 0]) }] },
      { interventions: [{ ...silence, by: 'noise' }] },
      { interventions: [{ ...silence, component: 'cross' }] },
      { interventions: [{ ...block, key: undefined }] },
      { interventions: [{ ...block, key: run.streams[0].tokens.length }] },
      { interventions: [{ ...block, query: 0.5 }] },
    ])
      expect(
        codeOfCall(() => checkEffectParams({ ...asked, ...change }, run)),
        JSON.stringify(change),
      ).to.equal('invalidMessage');
    expect(codeOfCall(() => checkEffectParams({ ...asked, runId: 8 }, run))).to.equal('unknownRun');
    const intervened = { runId: 7, interventions: [silence, block] };
    expect(checkIntervenedParams(intervened, run)).to.deep.equal(intervened);
    for (const interventions of [undefined, [{ ...block, key: 1e5 }], [{ ...silence, component: 'cross' }]])
      expect(codeOfCall(() => checkIntervenedParams({ ...intervened, interventions }, run))).to.equal('invalidMessage');
    const scan = { runId: 7, question, by: 'zero', path: 'direct', components: ['self'], scan: 3 };
    expect(checkHeadEffectsParams(scan, run)).to.deep.equal(scan);
    for (const change of [{ components: [] }, { components: ['cross'] }, { scan: -1 }, { by: 'x' }])
      expect(codeOfCall(() => checkHeadEffectsParams({ ...scan, ...change }, run))).to.equal('invalidMessage');
  });

  it('may ask what heads write where a token is predicted, up to what would come next', () => {
    const { length } = run.streams[0].tokens;
    const params = { runId: 7, position: length, token: 3 };
    expect(checkWritesParams(params, run)).to.deep.equal(params);
    for (const wrong of [{ position: length + 1 }, { position: -1 }, { token: 'a' }, { against: null }])
      expect(codeOfCall(() => checkWritesParams({ ...params, ...wrong }, run))).to.equal('invalidMessage');
    expect(codeOfCall(() => checkWritesParams({ ...params, runId: 8 }, run))).to.equal('unknownRun');
  });

  it('may let the model go on with the text, within bounds', () => {
    const sampling = { temperature: 0.8, topP: 0.95, seed: 3 };
    expect(checkContinuation({ written: [4], tokens: 0, sampling })).to.deep.equal({
      written: [4],
      tokens: 0,
      sampling,
    });
    expect(checkContinuation({ written: [], tokens: 20 }).sampling).to.equal(undefined);
    for (const wrong of [
      { tokens: 0 },
      { tokens: 257 },
      { written: [-1] },
      { sampling: { ...sampling, temperature: 0 } },
      { sampling: { ...sampling, topP: 2 } },
      { sampling: { ...sampling, seed: 0.5 } },
    ])
      expect(
        codeOfCall(() => checkContinuation({ written: [], tokens: 5, ...wrong })),
        JSON.stringify(wrong),
      ).to.equal('invalidMessage');
  });

  it('may compare the run with an edited text, with what is chosen in a list, or with nothing, and see the other run', () => {
    for (const wanted of [{ kind: 'text', text: 'one' }, { kind: 'model' }, { kind: 'earlier' }, null])
      expect(checkCompareWith(wanted)).to.deep.equal(wanted);
    for (const wanted of [undefined, {}, { kind: 'other' }, { kind: 'text', text: '' }, { kind: 'text', text: 7 }])
      expect(
        codeOfCall(() => checkCompareWith(wanted)),
        JSON.stringify(wanted),
      ).to.equal('invalidMessage');
    const form = { ...plainForm, compared: 'difference' };
    expect(checkPatternParams({ runId: 7, selection: select([0, 0]), form }, run).form?.compared).to.equal(
      'difference',
    );
    expect(
      codeOfCall(() =>
        checkPatternParams({ runId: 7, selection: select([0, 0]), form: { ...form, compared: 'both' } }, run),
      ),
    ).to.equal('invalidMessage');
    expect(codeOfCall(() => checkPredictOtherParams({ runId: 8 }, run))).to.equal('unknownRun');
  });

  it('may not ask for other heads, the same head twice, none, or another run', () => {
    for (const selection of [
      select([0, 2]),
      select([2, 0]),
      select([0, 0], [0, 0]),
      select(),
      { ...select([0, 0]), component: 'cross' },
      { ...select([0, 0]), aggregation: 'sum' },
    ])
      expect(codeOfCall(() => checkPatternParams({ runId: 7, selection }, run))).to.equal('invalidMessage');
    expect(codeOfCall(() => checkPatternParams({ runId: 6, selection: select([0, 0]) }, run))).to.equal('unknownRun');
    expect(codeOfCall(() => checkPatternParams({ runId: 7, selection: select([0, 0]) }, undefined))).to.equal(
      'unknownRun',
    );
  });

  it('may ask for a stage that the model has, by its number', () => {
    const [component] = run.components;
    const staged: RunInfo = { ...run, components: [{ ...component, component: 'stage2' }] };
    expect(
      checkPatternParams({ runId: 7, selection: { ...select([0, 0]), component: 'stage2' } }, staged).selection
        .component,
    ).to.equal('stage2');
    for (const name of ['stage1', 'stage', 'stage0', 'stage100', 'stage2\n', 'stage2x', 'self', 2])
      expect(
        codeOfCall(() => checkPatternParams({ runId: 7, selection: { ...select([0, 0]), component: name } }, staged)),
        String(name),
      ).to.equal('invalidMessage');
  });

  it('may ask for no large pattern whole, but for its overview and for tiles and rows within it', () => {
    const long = runInfo(7, 'word '.repeat(2000));
    const selection = select([0, 0]);
    expect(codeOfCall(() => checkPatternParams({ runId: 7, selection }, long))).to.equal('invalidMessage');
    expect(checkOverviewParams({ runId: 7, selection }, long).selection.heads).to.have.length(1);
    const tile = (level: unknown, row: unknown, column: unknown): string =>
      codeOfCall(() => checkTileParams({ runId: 7, selection, level, row, column }, long));
    expect([tile(0, 7, 7), tile(1, 3, 3), tile(2, 1, 1)]).to.deep.equal(['none', 'none', 'none']);
    for (const [level, row, column] of [
      [0, 8, 0],
      [0, 0, 8],
      [1, 4, 0],
      [2, 0, 2],
      [3, 0, 0],
      [-1, 0, 0],
      [0.5, 0, 0],
      [NaN, 0, 0],
      ['0', 0, 0],
      [0, -1, 0],
      [0, 1e9, 0],
    ])
      expect(tile(level, row, column), `${level}, ${row}, ${column}`).to.equal('invalidMessage');
    const row = (position: unknown, direction: unknown = 'reads'): string =>
      codeOfCall(() => checkRowParams({ runId: 7, selection, position, direction }, long));
    expect([row(0), row(1999), row(1999, 'readBy')]).to.deep.equal(['none', 'none', 'none']);
    for (const position of [2000, -1, 0.5, NaN, '1']) expect(row(position)).to.equal('invalidMessage');
    expect(row(0, 'both')).to.equal('invalidMessage');
    for (const check of [checkOverviewParams, checkTileParams, checkRowParams])
      expect(
        codeOfCall(() =>
          check({ runId: 6, selection, level: 0, row: 0, column: 0, position: 0, direction: 'reads' }, long),
        ),
      ).to.equal('unknownRun');
  });

  it('costs little where it is large and wrong, and little of it is told', () => {
    const large: readonly unknown[] = [
      { runId: 'x'.repeat(10_000_000), selection: select([0, 0]) },
      {
        runId: 7,
        selection: { ...select([0, 0]), heads: new Array<unknown>(500_000).fill({ layer: 'x', head: 'y' }) },
      },
      { runId: 7, selection: { ...select([0, 0]), heads: new Array<unknown>(500_000).fill({ layer: 0, head: 0 }) } },
      { runId: 7, selection: new Array(4000).fill('x\n\u202e') },
    ];
    const began = performance.now();
    for (const value of large) {
      try {
        checkPatternParams(value, run);
        expect.fail();
      } catch (error) {
        expect(error).to.have.property('code', 'invalidMessage');
        expect((error as Error).message.length).to.be.lessThan(400); // an ExplorerError by its code
        expect((error as Error).message).to.not.match(unseenCharacters);
      }
    }
    expect(performance.now() - began).to.be.lessThan(500);
  });

  it('may ask for thumbnails of a sensible size', () => {
    expect(checkThumbnailParams({ runId: 7, component: 'self', size: 32 }, run).size).to.equal(32);
    for (const size of [0, -1, 1.5, 1e9, NaN, '32'])
      expect(codeOfCall(() => checkThumbnailParams({ runId: 7, component: 'self', size }, run))).to.equal(
        'invalidMessage',
      );
    expect(codeOfCall(() => checkThumbnailParams({ runId: 7, component: 'cross', size: 32 }, run))).to.equal(
      'invalidMessage',
    );
  });

  it('may ask for a pair or a row in all heads, within the pattern and not of much at once', () => {
    const pair = (queries: unknown, keys: unknown, component: unknown = 'self'): string =>
      codeOfCall(() => checkPairParams({ runId: 7, component, queries, keys }, run));
    expect([pair([0], [2]), pair([0, 1, 2], [1]), pair([1], [0, 2])]).to.deep.equal(['none', 'none', 'none']);
    for (const [queries, keys] of [
      [[], [0]],
      [[0], []],
      [[3], [0]],
      [[0], [3]],
      [[0.5], [0]],
      [[-1], [0]],
      [['0'], [0]],
      [0, 0],
      [
        [0, 1],
        [0, 1],
      ],
      [new Array(65).fill(0), [0]],
      [new Array(1e6).fill('x'), [0]],
    ])
      expect(pair(queries, keys)).to.equal('invalidMessage');
    expect(pair([0], [0], 'cross')).to.equal('invalidMessage');
    expect(codeOfCall(() => checkPairParams({ runId: 6, component: 'self', queries: [0], keys: [0] }, run))).to.equal(
      'unknownRun',
    );
    const rows = (change: object, of: RunInfo = run): string =>
      codeOfCall(() =>
        checkHeadRowsParams(
          { runId: 7, component: 'self', positions: [2], direction: 'reads', mean: 'all', size: 32, ...change },
          of,
        ),
      );
    expect([rows({}), rows({ positions: [0, 2], mean: 'seeing' }), rows({ direction: 'readBy' })]).to.deep.equal([
      'none',
      'none',
      'none',
    ]);
    for (const change of [
      { positions: [3] },
      { positions: [] },
      { positions: new Array(65).fill(0) },
      { direction: 'both' },
      { mean: 'some' },
      { size: 0 },
      { size: 1e9 },
      { component: 'cross' },
    ])
      expect(rows(change)).to.equal('invalidMessage');
    const [component] = run.components;
    const recomputed: RunInfo = {
      ...run,
      components: [
        {
          ...component,
          layers: component.layers.map((layer, i) => (i === 1 ? { ...layer, held: 'recomputed' } : layer)),
        },
      ],
    };
    expect(
      [rows({}, recomputed), rows({ direction: 'readBy' }, recomputed)],
      'a column of what is recomputed is all of it',
    ).to.deep.equal(['none', 'invalidMessage']);
    const table = { runId: 7, component: 'self', metrics: ['self', 'distance'] };
    expect(checkHeadTableParams(table, run)).to.deep.equal(table);
    for (const wrong of [{ component: 'encoder' }, { metrics: [] }, { metrics: ['beauty'] }])
      expect(codeOfCall(() => checkHeadTableParams({ ...table, ...wrong }, run))).to.equal('invalidMessage');
    const asked = { queries: [1], keys: [0] };
    expect(checkHeadTableParams({ ...table, asked }, run).asked).to.deep.equal(asked);
    for (const wrong of [{ queries: [] }, { keys: [1e6] }, { queries: [1, 1] }, { keys: [0.5] }])
      expect(codeOfCall(() => checkHeadTableParams({ ...table, asked: { ...asked, ...wrong } }, run))).to.equal(
        'invalidMessage',
      );
    const random = { ...table, random: { numTokens: 64, seed: 1 } };
    expect(checkRandomParams(random, run)).to.deep.equal(random);
    for (const wrong of [{ numTokens: 1e6 }, { numTokens: 0 }, { seed: -1 }, { seed: 0.5 }])
      expect(codeOfCall(() => checkRandomParams({ ...random, random: { ...random.random, ...wrong } }, run))).to.equal(
        'invalidMessage',
      );
  });

  it('may name a token that its menu is about, and send a figure: a PNG file, not too large', () => {
    expect(
      checkMenuToken({ webview: 'x', webviewSection: 'token', runId: 7, stream: 0, position: 2 }, run),
    ).to.deep.equal({ stream: 0, position: 2 });
    for (const none of [undefined, null, 'x', 7, {}, { runId: 7 }])
      expect(checkMenuToken(none, run)).to.equal(undefined);
    const code = (value: unknown): string => codeOfCall(() => checkMenuToken(value, run));
    for (const token of [
      { stream: 0, position: 3 },
      { stream: 1, position: 0 },
      { stream: 0, position: '2' },
      { stream: 0, position: -1 },
      { position: 0 },
    ])
      expect(code({ runId: 7, ...token })).to.equal('invalidMessage');
    expect(code({ runId: 6, stream: 0, position: 0 }), 'of a page of another run').to.equal('unknownRun');
    const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1);
    expect(checkFigure({ kind: 'picture', png })).to.deep.equal({ kind: 'picture', png });
    const colour = { r: 0, g: 128, b: 255 };
    const seen = { background: colour, foreground: colour, sort: 'entropy', pair: { query: 1, key: 0 } };
    expect(checkFigure({ kind: 'seen', seen })).to.deep.equal({ kind: 'seen', seen });
    for (const value of [
      null,
      {},
      { png },
      { kind: 'picture', png: [...png] },
      { kind: 'picture', png: new Uint8Array(8) },
      { kind: 'picture', png: png.subarray(0, 5) },
      { kind: 'picture', png: 'x' },
      { kind: 'picture', png: Object.assign(new Uint8Array(2 ** 25 + 1), png) },
      { kind: 'seen', seen: { ...seen, background: { ...colour, r: 256 } } },
      { kind: 'seen', seen: { ...seen, sort: '</text>' } },
      { kind: 'seen', seen: { ...seen, compared: 'x' } },
    ])
      expect(codeOfCall(() => checkFigure(value))).to.equal('invalidMessage');
  });

  it('may change parts of the view, and only to what can be', () => {
    expect(checkChangeView({ view: { threshold: 0.25 }, sequence: 3 }, run)).to.deep.equal({
      view: { threshold: 0.25 },
      sequence: 3,
    });
    expect(checkChangeView({ view: { direction: undefined, scale: 'log' }, sequence: 0 }, run).view).to.deep.equal({
      scale: 'log',
    });
    for (const view of [
      { threshold: 2 },
      { threshold: NaN },
      { direction: 'up' },
      { pinned: [{ stream: 0, position: 3 }] },
      { pinned: [{ stream: 1, position: 0 }] },
      { selection: select([9, 9]) },
      { pinned: Array.from({ length: 1000 }, () => ({ stream: 0, position: 0 })) },
    ])
      expect(codeOfCall(() => checkChangeView({ view, sequence: 1 }, run))).to.equal('invalidMessage');
  });

  it('may name tokens that there are, or none', () => {
    expect(checkTokenOrNull({ stream: 0, position: 2 }, run)).to.deep.equal({ stream: 0, position: 2 });
    expect(checkTokenOrNull(null, undefined)).to.equal(null);
    expect(codeOfCall(() => checkTokenOrNull({ stream: 0, position: 0 }, undefined))).to.equal('invalidMessage');
    expect(codeOfCall(() => checkTokenOrNull({ stream: '__proto__', position: 0 }, run))).to.equal('invalidMessage');
  });

  it('may ask for the actions there are, and no command', () => {
    expect(checkAct({ action: 'rerun' }).action).to.equal('rerun');
    for (const action of ['workbench.action.quit', 'constructor', '', 1, null])
      expect(codeOfCall(() => checkAct({ action }))).to.equal('invalidMessage');
  });

  it('is an error of ours whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const check of [
          checkPatternParams,
          checkOverviewParams,
          checkTileParams,
          checkRowParams,
          checkThumbnailParams,
          checkChangeView,
          checkTokenOrNull,
        ])
          expect(codeOfCall(() => check(value, run))).to.be.oneOf(['none', 'invalidMessage', 'unknownRun']);
        expect(codeOfCall(() => checkAct(value))).to.equal('invalidMessage');
        expect(codeOfCall(() => checkPainted(value))).to.be.oneOf(['none', 'invalidMessage']);
        expect(checkPersisted(value)).to.equal(undefined);
      }),
      { numRuns: 500 },
    );
  });
});

describe('What a webview left behind', () => {
  const state = {
    version: 1,
    uri: 'file:///a.py',
    start: 3,
    end: 9,
    textHash: 'abc-6',
    isWholeDocument: false,
    view: initialView,
  };

  it('is taken when it is what we wrote, after JSON as well', () => {
    for (const written of [state, { ...state, target: '1979-05-03' }, { ...state, focus: { start: 2, end: 6 } }])
      expect(checkPersisted(JSON.parse(JSON.stringify(written)))).to.deep.equal(written);
  });

  it('is taken from before there was a choice of means', () => {
    const { pinnedMean: _, marked: __, light: ___, ...former } = initialView;
    expect(checkPersisted({ ...state, view: former })).to.deep.equal(state);
    expect(checkPersisted({ ...state, view: { ...initialView, pinnedMean: 'some' } })).to.equal(undefined);
  });

  it('is a key beside the webview’s own layout, and names no document', () => {
    const key = { version: 2, key: 'abc' };
    expect(checkKept({ layout: { heads: 0.2 }, persist: key })).to.deep.equal(key);
    for (const none of [state, { layout: {} }, undefined, null, 'x']) expect(checkKept(none)).to.equal('nothing');
    for (const hostile of [
      state,
      { ...key, version: 1 },
      { ...key, key: '' },
      { ...key, key: 'x'.repeat(1000) },
      { version: 2 },
      null,
      undefined,
      'abc',
    ])
      expect(checkKept({ persist: hostile })).to.equal(undefined);
  });

  it('is not taken when it is anything else', () => {
    for (const hostile of [
      { ...state, version: 2 },
      { ...state, focus: { start: 2, end: 7 } },
      { ...state, focus: { start: 2, end: 2 } },
      { ...state, focus: { start: -1, end: 2 } },
      { ...state, focus: 'all' },
      { ...state, target: 7 },
      { ...state, target: 'x'.repeat(1e6) },
      { ...state, start: 9, end: 3 },
      { ...state, start: -1 },
      { ...state, end: Infinity },
      { ...state, uri: 7 },
      { ...state, view: { ...initialView, threshold: 'x' } },
      { ...state, view: undefined },
      { ...state, textHash: 'x'.repeat(1000) },
      null,
      'x',
      [],
    ])
      expect(checkPersisted(hostile)).to.equal(undefined);
  });
});

describe('The panel’s page', () => {
  const assets = {
    script: 'draw();',
    style: 'p { color: red }',
    codicons: 'https://webview/dist/codicon.css',
    elements: 'https://webview/dist/elements.js',
    views: 'https://webview/dist/views.js',
    cspSource: 'https://*.webview',
  };

  it('lets nothing load or run but our own files', () => {
    const html = panelHtml(assets, 'abc', 'en', 'Loading');
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    expect(policy).to.include("default-src 'none'").and.to.include("script-src 'nonce-abc'");
    expect(policy).to.not.include('unsafe');
    expect([...html.matchAll(/<script(?! nonce="abc")/g)]).to.have.length(0);
  });

  it('carries no markup in from outside', () => {
    expect(panelHtml(assets, 'abc', '"><script>', '<img src=x onerror=alert(1)>')).to.not.match(/<img|"><script>/);
  });

  it('has another nonce each time', () => {
    const nonces = new Set(Array.from({ length: 100 }, makeNonce));
    expect(nonces.size).to.equal(100);
    for (const nonce of nonces) expect(nonce).to.match(/^[0-9a-f]{48}$/);
  });
});
