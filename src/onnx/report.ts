import type { ModelAnalysis } from './analyzeModel';
import { dataTypeName } from './dataType';
import { planInputs } from './inputs';
import { ExplorerError } from '../base/errors';
import { codeCell, codeSpan, escaped, joinMarkdown, markdownTable, md, type MarkdownText } from '../base/markdown';
import { plain } from '../base/safeText';
import { readsOf } from './reads';
import type { ExtractionMethod, RowSum, SiteComponent } from './site';

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
  readonly inputs: readonly { readonly name: string; readonly type: string; readonly dims: readonly (number | string)[] | undefined; readonly role: string }[];
  /** Why the inputs cannot be made from a text, or from a picture; empty where they can. */
  readonly inputProblem: string;
  readonly outputs: readonly string[];
  readonly sites: readonly ReportedSite[];
  readonly missed: readonly { readonly path: string; readonly operator: string; readonly reason: string }[];
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
  /** Why the site is not drawn; empty where all checks pass. */
  readonly failure: string;
}

/**
 * Makes the report of an analysed model.
 * @param given inputs that another model of the same folder gives.
 */
export function makeReport({ model, index, sites, missed, hoisted }: ModelAnalysis, given: ReadonlySet<string> = new Set()): ExtractionReport {
  const names = index.inputs.map((input) => input.name);
  const { roles } = planInputs(index, names, new Set(names));
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
      externalBytes: index.graph.initializers.reduce((sum, { external }) => sum + (external === undefined || external.location === model.ownFile ? 0 : (external.length ?? 0)), 0),
      branches: hoisted,
    },
    inputs: index.inputs.map((input) => ({ name: input.name, type: dataTypeName(input.dataType) ?? 'unknown', dims: input.dims?.map((dim) => dim ?? '?'), role: given.has(input.name) ? 'encoderResult' : (roles.get(input.name) ?? 'unknown') })),
    inputProblem: inputProblem(() => planInputs(index, names, readsOf(index) === 'image' ? pictures : given)),
    outputs: index.graph.outputs.map((output) => output.name),
    sites: sites.map(({ node, path, component, layer, modelLayer, method, normalizer, rowSum, tensor, chain, numHeads, numKeyValueHeads, notes }) => ({
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
    })),
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

const rowSumMeaning: Record<RowSum, string> = { one: 'sum to one', atMostOne: 'sum to one or less, by design', any: 'are not normalised, by design' };

/** Rows of a table that are written out; the JSON has them all. */
const maxRows = 2000;

/** The report as a Markdown document. */
export function formatReport(report: ExtractionReport): MarkdownText {
  const { model, inputs, sites, missed } = report;
  const hasChecks = sites.some((site) => site.checks !== undefined);
  const external = model.externalBytes > 0 ? words(` and ${megabytes(model.externalBytes)} MB of weights in other files`) : md``;
  return joinMarkdown(
    [
      md`# Extraction report: ${codeSpan(model.name)}`,
      md``,
      md`${words(megabytes(model.fileBytes))} MB${external}; ${model.numNodes} nodes; ${model.producer === '' ? md`producer not stated` : codeSpan(model.producer)}; IR ${model.irVersion}; ${joinMarkdown(model.opsets.slice(0, maxOpsets).map(({ domain, version }) => md`${codeSpan(domain)} ${version}`), ', ')}.`,
      ...model.branches.slice(0, maxRows).map(({ input, value }) => md`The branch for ${codeSpan(input)} = ${words(String(value))} is the one that is read.`),
      md``,
      md`## Inputs`,
      md``,
      ...tableOf(['Name', 'Type', 'Shape', 'Made as'], inputs, ({ name, type, dims, role }) => [codeCell(name), words(type), dims === undefined ? md`?` : codeCell(`[${joined(dims, ', ')}]`), words(role)]),
      ...(report.inputProblem === '' ? [] : [md``, words(report.inputProblem)]),
      md``,
      md`## Attention: ${sites.length} ${sites.length === 1 ? md`layer` : md`layers`} found`,
      md``,
      ...(sites.length === 0
        ? []
        : [
            ...tableOf([...siteColumns, ...(hasChecks ? ['Checks'] : [])], sites, (site) => [...siteCells(site), ...(hasChecks ? [words(checksText(site.checks))] : [])]),
            md``,
            ...[...new Set(sites.map((site) => site.method))].map((method) => md`* ${words(method)}: ${words(methodMeaning[method])}.`),
          ]),
      ...(missed.length === 0 ? [] : [md``, md`## Seen and not extracted`, md``, ...tableOf(['Path', 'Operator', 'Reason'], missed, ({ path, operator, reason }) => [codeCell(path), codeCell(operator), words(reason)])]),
      md``,
    ],
    '\n',
  );
}

const maxOpsets = 50;
const siteColumns = ['Component', 'Layer', 'Path', 'Heads', 'Key–value heads', 'Method', 'Rows', 'Computed by', 'Notes'];

function siteCells(site: ReportedSite): MarkdownText[] {
  const layer = site.modelLayer === undefined || site.modelLayer === site.layer ? md`${site.layer}` : md`${site.layer} (the model's ${site.modelLayer})`;
  return [
    words(site.component),
    layer,
    codeCell(site.path),
    site.numHeads === undefined ? md`known after a run` : md`${site.numHeads}`,
    site.numKeyValueHeads === undefined ? md`` : md`${site.numKeyValueHeads}`,
    words(site.method),
    words(rowSumMeaning[site.rowSum]),
    codeCell(site.chain.length > 0 ? joined(site.chain, ' → ') : site.operator),
    words(joined(site.notes, '; ')),
  ];
}

/** A table of at most {@link maxRows} rows, and how many more there are. */
function tableOf<Item>(columns: readonly string[], items: readonly Item[], cells: (item: Item) => readonly MarkdownText[]): MarkdownText[] {
  const table = markdownTable(columns, items.slice(0, maxRows).map(cells));
  return items.length > maxRows ? [table, md``, md`… and ${items.length - maxRows} more.`] : [table];
}

function checksText(checks: SiteChecks | undefined): string {
  if (checks === undefined) return 'not run';
  if (checks.failure !== '') return `not drawn: ${plain(checks.failure, 500)}`;
  return `finite; rows sum to ${checks.smallestRowSum.toFixed(4)} … ${checks.largestRowSum.toFixed(4)}${checks.isCausal ? '; causal part exactly zero' : ''}${checks.isCausal && checks.reach < (checks.shape[2] ?? 0) ? `; window of ${checks.reach} positions` : ''}; [${checks.shape.join(', ')}]`;
}

/** A sentence or a part of one, with whatever the file has put into it. */
function words(text: string): MarkdownText {
  return escaped(plain(text, 1000));
}

/** A list of the file's own texts, of which the first ones make it long enough. */
function joined(parts: readonly (string | number)[], separator: string): string {
  return parts.slice(0, 50).map((part) => plain(String(part))).join(separator);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1);
}
