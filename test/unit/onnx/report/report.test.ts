import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../../src/onnx/file/readModel';
import { formatReport, makeReport, type ExtractionReport, type ReportedSite } from '../../../../src/onnx/report/report';
import { hostileModel } from '../../../harness/hostileModel';
import { hostileTexts, unseenCharacters } from '../../../harness/hostileTexts';
import { readers } from '../../../harness/readMarkdown';

const ours = new Set(['heading', 'paragraph', 'code_inline', 'codespan', 'bullet_list', 'list', 'list_item']);

function expectOnlyOurs(markdown: string, name: string): void {
  expect(markdown.replaceAll('\n', ''), name).to.not.match(unseenCharacters);
  for (const read of Object.values(readers)) {
    const { kinds, addresses } = read(markdown);
    expect(
      kinds.map((kind) => kind.replace(/_open$/, '')).filter((kind) => !ours.has(kind)),
      name,
    ).to.deep.equal([]);
    expect(addresses, name).to.deep.equal([]);
  }
}

/** A report in which every text, however deep, is another. */
function planted(text: string): ExtractionReport {
  const site: ReportedSite = {
    path: text,
    component: 'self',
    layer: 0,
    modelLayer: 3,
    method: 'exposed',
    normalizer: text,
    rowSum: 'one',
    tensor: text,
    operator: text,
    chain: [text, text],
    numHeads: 2,
    numKeyValueHeads: undefined,
    notes: [text, text],
  };
  const checks = {
    isFinite: true,
    smallestRowSum: 1,
    largestRowSum: 1,
    isCausal: true,
    reach: 2,
    shape: [1, 2, 4, 4],
    failure: text,
  };
  return {
    model: {
      name: text,
      fileBytes: 1,
      irVersion: 8,
      producer: text,
      opsets: [
        { domain: text, version: 1 },
        { domain: text, version: 2 },
      ],
      numNodes: 1,
      numInitializers: 1,
      externalBytes: 7,
      branches: [{ input: text, value: true }],
    },
    inputs: [{ name: text, type: text, dims: [text, 2], role: text }],
    inputProblem: text,
    outputs: [text],
    sites: [site, { ...site, chain: [], checks }, { ...site, checks: { ...checks, failure: '' } }],
    missed: [{ path: text, operator: text, reason: text }],
  };
}

/** A longer name is refused before a report is made. */
const longestName = 60_000;

describe('the report of a model', () => {
  it('has no link, picture, HTML or mark but its own, whatever the file says', () => {
    for (const [name, text] of Object.entries(hostileTexts)) {
      const markdown = formatReport(planted(text));
      expectOnlyOurs(markdown, name);
      const { kinds } = readers.preview(markdown);
      expect(
        kinds.filter((kind) => kind === 'heading_open'),
        name,
      ).to.have.length(4);
      // Three layers, how they were got and what computes them, a place that is none, an input.
      expect(
        kinds.filter((kind) => kind === 'list_item_open'),
        name,
      ).to.have.length(3 + 1 + 2 + 1 + 1);
    }
  });

  it('leads with the verdict, and has one line for each layer', () => {
    const report = planted('x');
    const [site] = report.sites;
    const layers = [0, 1, 2, 3].map((layer) => ({
      ...site,
      layer,
      modelLayer: layer,
      chain: ['MatMul', 'Softmax'],
      notes: [],
    }));
    const linesOf = (changed: Partial<ExtractionReport>): string[] =>
      formatReport({ ...report, inputProblem: '', missed: [], sites: layers, ...changed }).split('\n');
    const lines = linesOf({});
    expect(formatReport(report, 'my-model').split('\n')[0], 'a model has a name beside that of its file').to.equal(
      '# Extraction report: `my-model`, `x`',
    );
    expect(lines.slice(0, 8)).to.deep.equal([
      '# Extraction report: `x`',
      '',
      '## 4 layers found, all exposed',
      '',
      ...[0, 1, 2, 3].map((layer) => `* self ${layer}: 2 heads · exposed · rows sum to one · \`x\``),
    ]);
    expect(lines).to.include('* `MatMul → Softmax` computes all of them.');
    expect(lines.indexOf('## The file')).to.be.greaterThan(8);
    const verdictOf = (changed: Partial<ExtractionReport>): string | undefined => linesOf(changed)[2];
    const checks = {
      isFinite: true,
      smallestRowSum: 1,
      largestRowSum: 1,
      isCausal: false,
      reach: 4,
      shape: [1, 2, 4, 4],
      failure: 'rows sum to 7',
    };
    expect(verdictOf({ sites: layers.slice(1, 2) })).to.equal('## 1 layer found, exposed');
    expect(verdictOf({ sites: [{ ...layers[0], method: 'derived' }, { ...layers[1], checks }, layers[2]] })).to.equal(
      '## 3 layers found, 1 derived, 2 exposed, 1 not drawn',
    );
    expect(verdictOf({ sites: [], missed: report.missed })).to.equal(
      '## No attention found; 1 other place seen and not extracted',
    );
  });

  it('is made of such a file as well', () => {
    for (const [name, text] of Object.entries(hostileTexts)) {
      const report = makeReport(analyzeModel(readModel(hostileModel(text.slice(0, longestName)), 'model.onnx')));
      expect(report.sites, name).to.have.length(1);
      const markdown = formatReport(report);
      expect(markdown).to.include('producer');
      expectOnlyOurs(markdown, name);
    }
  });

  it('is of a bounded length, and quickly made', () => {
    expect(formatReport(planted(hostileTexts['longLinks'])).length).to.be.lessThan(20_000);
    const report = planted(hostileTexts['link']);
    const [site] = report.sites;
    const began = performance.now();
    const markdown = formatReport({
      ...report,
      inputs: new Array(100_000).fill(report.inputs[0]),
      sites: new Array(100_000).fill(site),
      missed: new Array(100_000).fill(report.missed[0]),
    });
    expect(performance.now() - began).to.be.lessThan(3000);
    expect(markdown.length).to.be.lessThan(5_000_000);
    expect(markdown).to.include('… and 98000 more.');
  });
});
