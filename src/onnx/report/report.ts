import type { ModelAnalysis } from '../find/analyzeModel';
import { dataTypeName } from '../file/dataType';
import { planInputs, signatureOf } from '../inputs/inputs';
import { ExplorerError } from '../../base/errors';
import { codeSpan, escaped, joinMarkdown, md, type MarkdownText } from '../../base/markdown';
import { plain } from '../../base/safeText';
import { readsOf } from '../inputs/reads';
import type { ExtractionMethod } from '../../base/extractionMethod';
import type { SiteComponent } from '../../base/component';
import type { RowSum } from '../name/site';

/** What was found in a model file, as plain data: made from the graph alone, without a run. */
export interface ExtractionReport {
  readonly model: {
    readonly name: string;
    readonly fileBytes: number;
    readonly irVersion: number;
    readonly producer: string;
    readonly opsets: readonly { readonly domain: string; readonly version: number }[];
    readonly numNodes: number;
    readonly numInitializers: number;
    /** Bytes of weights that lie in other files. */
    readonly externalBytes: number;
    /** Branches that were put in the place of a conditional: which input decides, and the value it is taken to have. */
    readonly branches: readonly { readonly input: string; readonly value: boolean }[];
  };
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly dims: readonly (number | string)[] | undefined;
    readonly role: string;
  }[];
  /** Why the inputs cannot be made from a text, or from a picture; empty where they can. */
  readonly inputProblem: string;
  readonly outputs: readonly string[];
  readonly sites: readonly ReportedSite[];
  readonly missed: readonly { readonly path: string; readonly operator: string; readonly reason: string }[];
  /** How it was run layer by layer; missing where that was not tried. */
  readonly stages?: StagesReport;
}

/** In how many stages a model is run, and what stands in the way of more. */
interface StagesReport {
  readonly count: number;
  /** Why it is run as a whole; empty where it is not. */
  readonly failure: string;
  /** Attention that has no stage of its own, with the one whose stage it is in. */
  readonly joined: readonly { readonly path: string; readonly with: string; readonly reason: string }[];
}

/** One attention that is extracted. */
export interface ReportedSite {
  readonly path: string;
  readonly component: SiteComponent;
  readonly layer: number;
  /** The number that the model's own path gives the layer. */
  readonly modelLayer: number | undefined;
  readonly method: ExtractionMethod;
  readonly normalizer: string;
  readonly rowSum: RowSum;
  readonly tensor: string;
  readonly operator: string;
  readonly chain: readonly string[];
  readonly numHeads: number | undefined;
  readonly numKeyValueHeads: number | undefined;
  readonly notes: readonly string[];
  /** The checks of a run; undefined before one. */
  readonly checks?: SiteChecks;
  /** What runs that were made for it prove of the site; missing where none were asked for. */
  readonly proof?: string;
  /** Whether norms of what its heads write can be shown, exactly or not, and why not; missing where no run proved it. */
  readonly norms?: string;
}

/** What a run showed of one site. */
export interface SiteChecks {
  readonly isFinite: boolean;
  readonly smallestRowSum: number;
  readonly largestRowSum: number;
  readonly isCausal: boolean;
  /** The most positions, its own included, that a query of causal attention reads back to: less than all where there is a window. */
  readonly reach: number;
  readonly shape: readonly number[];
  /** Rows, over all heads, of queries that may read no key, where what came out was no number; none where it is missing. */
  readonly numWithoutKey?: number;
  /** Why the site is not drawn; empty where all checks pass. */
  readonly failure: string;
}

/**
 * Makes the report of an analysed model.
 * @param given inputs that another model of the same folder gives.
 */
export function makeReport(
  { model, index, sites, missed, hoisted }: ModelAnalysis,
  given: ReadonlySet<string> = new Set(),
): ExtractionReport {
  const names = index.inputs.map((input) => input.name);
  const { roles } = signatureOf(index);
  const pictures = new Set(names.filter((name) => roles.get(name) === 'pixels' || roles.get(name) === 'pixelMask'));
  return {
    model: {
      name: model.name,
      fileBytes: model.fileBytes,
      irVersion: model.irVersion,
      producer: model.producer,
      opsets: [...model.opsets].map(([domain, version]) => ({ domain: domain === '' ? 'ai.onnx' : domain, version })),
      numNodes: index.nodes.length,
      numInitializers: index.graph.initializers.length,
      externalBytes: index.graph.initializers.reduce(
        (sum, { external }) =>
          sum + (external === undefined || external.location === model.ownFile ? 0 : (external.length ?? 0)),
        0,
      ),
      branches: hoisted,
    },
    inputs: index.inputs.map((input) => ({
      name: input.name,
      type: dataTypeName(input.dataType) ?? 'unknown',
      dims: input.dims?.map((dim) => dim ?? '?'),
      role: given.has(input.name)
        ? /embed/i.test(input.name)
          ? 'embeddings'
          : 'encoderResult'
        : (roles.get(input.name) ?? 'unknown'),
    })),
    inputProblem: inputProblem(() => planInputs(index, names, readsOf(index) === 'image' ? pictures : given)),
    outputs: index.graph.outputs.map((output) => output.name),
    sites: sites.map(
      ({
        node,
        path,
        component,
        layer,
        modelLayer,
        method,
        normalizer,
        rowSum,
        tensor,
        chain,
        numHeads,
        numKeyValueHeads,
        notes,
      }) => ({
        path,
        component,
        layer,
        modelLayer,
        method,
        normalizer,
        rowSum,
        tensor,
        operator: index.nodes[node].opType,
        chain,
        numHeads,
        numKeyValueHeads,
        notes,
      }),
    ),
    missed: missed.map(({ path, operator, reason }) => ({ path, operator, reason })),
  };
}

function inputProblem(plan: () => unknown): string {
  try {
    plan();
    return '';
  } catch (error) {
    if (error instanceof ExplorerError) return error.message;
    throw error;
  }
}

/** Adds what a run showed; checks are in the order of the report's sites, undefined for one that was not run. */
export function withChecks(report: ExtractionReport, checks: readonly (SiteChecks | undefined)[]): ExtractionReport {
  return {
    ...report,
    sites: report.sites.map((site, i) => {
      const found = checks[i];
      return found === undefined ? site : { ...site, checks: found };
    }),
  };
}

const methodMeaning: Record<ExtractionMethod, string> = {
  exposed: 'the tensor of weights is in the graph and was made an output',
  probed: 'the operator was asked for its weights, in a copy beside the original',
  rebuilt: 'the weights are computed anew from the operator’s own inputs',
  derived: 'the graph holds no such matrix; the equivalent one is computed',
};

const rowSumMeaning: Record<RowSum, string> = {
  one: 'sum to one',
  atMostOne: 'sum to one or less, by design',
  any: 'are not normalised, by design',
};

/** Items of a list that are written out; the JSON has them all. */
const maxRows = 2000;

/** The report as a Markdown document: the verdict first, then one line for each layer, and what the file is. Headed by the model's name, where it has one beside that of the file. */
export function formatReport(report: ExtractionReport, modelName: string = report.model.name): MarkdownText {
  const { model, inputs, sites, missed } = report;
  const hasChecks = sites.some((site) => site.checks !== undefined);
  const external =
    model.externalBytes > 0 ? words(` and ${megabytes(model.externalBytes)} MB of weights in other files`) : md``;
  return joinMarkdown(
    [
      md`# Extraction report: ${joinMarkdown(
        [...new Set([modelName, model.name])].map((name) => codeSpan(name)),
        ', ',
      )}`,
      md``,
      md`## ${verdict(report)}`,
      md``,
      ...(report.inputProblem === '' ? [] : [words(report.inputProblem), md``]),
      ...listOf(sites, (site) => layerLine(site, hasChecks)),
      ...(sites.length === 0
        ? []
        : [
            md``,
            md`How they were got:`,
            md``,
            ...[...new Set(sites.map((site) => site.method))].map(
              (method) => md`* ${words(method)}: ${words(methodMeaning[method])}.`,
            ),
            ...chainLines(sites),
          ]),
      ...(missed.length === 0
        ? []
        : [
            md``,
            md`## Seen and not extracted`,
            md``,
            ...listOf(
              missed,
              ({ path, operator, reason }) => md`${codeSpan(path)} (${codeSpan(operator)}): ${words(reason)}`,
            ),
          ]),
      md``,
      md`## The file`,
      md``,
      md`${words(megabytes(model.fileBytes))} MB${external}; ${model.numNodes} nodes; ${
        model.producer === '' ? md`producer not stated` : codeSpan(model.producer)
      }; IR ${model.irVersion}; ${joinMarkdown(
        model.opsets.slice(0, maxOpsets).map(({ domain, version }) => md`${codeSpan(domain)} ${version}`),
        ', ',
      )}.`,
      ...model.branches
        .slice(0, maxRows)
        .map(
          ({ input, value }) =>
            md`The branch for ${codeSpan(input)} = ${words(String(value))} is the one that is read.`,
        ),
      ...stagesLines(report.stages),
      md``,
      ...listOf(
        inputs,
        ({ name, type, dims, role }) =>
          md`Input ${codeSpan(name)}: ${words(type)} ${
            dims === undefined ? md`of any shape` : codeSpan(`[${joined(dims, ', ')}]`)
          }, made as ${words(role)}`,
      ),
      md``,
    ],
    '\n',
  );
}

const maxOpsets = 50;

/** In how many stages the model was run, and which layers share one. */
function stagesLines(stages: StagesReport | undefined): MarkdownText[] {
  if (stages === undefined) return [];
  if (stages.failure !== '') return [md``, md`Run as a whole, not layer by layer: ${words(stages.failure)}.`];
  return [
    md``,
    md`Run in ${stages.count} ${words(stages.count === 1 ? 'stage' : 'stages')}, one after another${words(stages.joined.length === 0 ? '.' : '; of these share one:')}`,
    ...(stages.joined.length === 0 ? [] : [md``]),
    ...listOf(
      stages.joined,
      ({ path, with: other, reason }) => md`${codeSpan(path)} and ${codeSpan(other)}: ${words(reason)}`,
    ),
  ];
}

/** What was found, in a few words. */
function verdict({ sites, missed }: ExtractionReport): MarkdownText {
  const others =
    missed.length === 0
      ? md``
      : md`; ${missed.length} ${missed.length === 1 ? md`other place` : md`other places`} seen and not extracted`;
  if (sites.length === 0) return md`No attention found${others}`;
  const methods = [...new Set(sites.map(({ method }) => method))].map((method) => ({
    method,
    count: sites.filter((site) => site.method === method).length,
  }));
  const how =
    methods.length === 1
      ? md`${sites.length === 1 ? md`` : md`all `}${words(methods[0].method)}`
      : joinMarkdown(
          methods.map(({ method, count }) => md`${count} ${words(method)}`),
          ', ',
        );
  const numFailed = sites.filter(({ checks }) => checks !== undefined && checks.failure !== '').length;
  return md`${sites.length} ${
    sites.length === 1 ? md`layer` : md`layers`
  } found, ${how}${numFailed === 0 ? md`` : md`, ${numFailed} not drawn`}${others}`;
}

/** One layer, with what is its own; it wraps where a table's columns would be cut. */
function layerLine(site: ReportedSite, hasChecks: boolean): MarkdownText {
  const { layer, modelLayer, numHeads, numKeyValueHeads } = site;
  const number =
    modelLayer === undefined || modelLayer === layer ? md`${layer}` : md`${layer} (the model's ${modelLayer})`;
  const shared =
    numKeyValueHeads === undefined || numKeyValueHeads === numHeads
      ? md``
      : md` on ${numKeyValueHeads} of keys and values`;
  const heads =
    numHeads === undefined ? md`heads known after a run` : md`${numHeads} ${numHeads === 1 ? md`head` : md`heads`}`;
  const facts = [
    md`${heads}${shared}`,
    words(site.method),
    md`rows ${words(rowSumMeaning[site.rowSum])}`,
    codeSpan(site.path),
    ...(hasChecks ? [words(checksText(site.checks))] : []),
    ...(site.proof === undefined ? [] : [md`proof: ${words(site.proof)}`]),
    ...(site.norms === undefined ? [] : [md`norms: ${words(site.norms)}`]),
    ...(site.notes.length === 0 ? [] : [words(joined(site.notes, '; '))]),
  ];
  return md`${words(site.component)} ${number}: ${joinMarkdown(facts, ' · ')}`;
}

/** Which operators compute the layers: mostly the same ones in all. */
function chainLines(sites: readonly ReportedSite[]): MarkdownText[] {
  const byChain = new Map<string, ReportedSite[]>();
  for (const site of sites.slice(0, maxRows)) {
    const chain = site.chain.length > 0 ? joined(site.chain, ' → ') : site.operator;
    byChain.set(chain, [...(byChain.get(chain) ?? []), site].slice(0, maxNamed + 1));
  }
  const named = (those: readonly ReportedSite[]): MarkdownText =>
    md`${joinMarkdown(
      those.slice(0, maxNamed).map(({ component, layer }) => md`${words(component)} ${layer}`),
      ', ',
    )}${those.length > maxNamed ? md`, …` : md``}`;
  return [...byChain]
    .slice(0, maxChains)
    .map(
      ([chain, those]) =>
        md`* ${codeSpan(chain)} ${
          byChain.size === 1
            ? md`computes ${sites.length === 1 ? md`it` : md`all of them`}`
            : md`computes ${named(those)}`
        }.`,
    );
}

/** Layers that are named for what computes them, and ways to compute that are told. */
const maxNamed = 8;
const maxChains = 20;

/** A list of at most {@link maxRows} items, and how many more there are. */
function listOf<Item>(items: readonly Item[], lineOf: (item: Item) => MarkdownText): MarkdownText[] {
  const list = items.slice(0, maxRows).map((item) => md`* ${lineOf(item)}`);
  return items.length > maxRows ? [...list, md``, md`… and ${items.length - maxRows} more.`] : list;
}

function checksText(checks: SiteChecks | undefined): string {
  if (checks === undefined) return 'not run';
  if (checks.failure !== '') return `not drawn: ${plain(checks.failure, 500)}`;
  return `finite; rows sum to ${checks.smallestRowSum.toFixed(4)} … ${checks.largestRowSum.toFixed(4)}${checks.isCausal ? '; causal part exactly zero' : ''}${checks.isCausal && checks.reach < (checks.shape[2] ?? 0) ? `; window of ${checks.reach} positions` : ''}${checks.numWithoutKey === undefined ? '' : `; ${checks.numWithoutKey} rows read no key`}; [${checks.shape.join(', ')}]`;
}

/** A sentence or a part of one, with whatever the file has put into it. */
function words(text: string): MarkdownText {
  return escaped(plain(text, 1000));
}

/** A list of the file's own texts, of which the first ones make it long enough. */
function joined(parts: readonly (string | number)[], separator: string): string {
  return parts
    .slice(0, 50)
    .map((part) => plain(String(part)))
    .join(separator);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1);
}
