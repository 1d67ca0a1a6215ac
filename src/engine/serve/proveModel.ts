import { ExplorerError } from '../../base/errors';
import { makeReport, type ExtractionReport } from '../../onnx/report/report';
import type { EngineOptions, ReportView } from '../../protocol';
import type { Proof } from '../weights/attentionProof';
import { AttentionSession, type AttentionResult } from '../session/attentionSession';
import { modelProofs } from '../session/keptProofs';
import { proofInputs, type ProofInputs } from '../session/proofInputs';
import { SiteParts } from '../session/siteParts';
import type { WrittenProof } from '../weights/writtenProof';
import type { FileAccess } from '../files/fileAccess';
import { inputAccount } from '../report/inputAccount';
import { loadOnBackend } from '../runtime/loadOnBackend';
import { modelAccess, type ModelPlace } from '../files/modelAccess';
import type { ModelFiles } from '../files/modelFiles';
import { resolveModel } from '../folder/modelFolder';
import { analysesOf, readModelParts } from '../folder/modelParts';
import { reportView } from '../report/reportView';
import { reasonOf } from '../runtime/runtimeError';
import type { Runtimes } from '../runtime/runtimes';

/** A model is run on texts of so many tokens: what grows with them counts positions. */
const lengths = [5, 9] as const;

/** The extraction report of a model with what runs of it prove: values times weights equal what each attention gives, and its keys grow with the text. Throws what loading and running it throw. */
export async function proveModel(
  files: FileAccess,
  place: ModelPlace,
  runtimes: Runtimes,
  options: EngineOptions,
): Promise<ReportView> {
  const access = await modelAccess(files, place);
  const resolved = await resolveModel(access, place.path);
  const parts = await readModelParts(access, resolved);
  const { encoder, main, bridges } = parts;
  const reports: ExtractionReport[] = [];
  if (encoder !== undefined) reports.push(await provePart(encoder, new Set(), runtimes, options));
  reports.push(await provePart(main, new Set(bridges.keys()), runtimes, options));
  return reportView(resolved.name, reports, access, {
    account: inputAccount(access.readFiles, resolved, analysesOf(parts)),
  });
}

async function provePart(
  part: ModelFiles,
  given: ReadonlySet<string>,
  runtimes: Runtimes,
  options: EngineOptions,
): Promise<ExtractionReport> {
  const { sites } = part.analysis;
  const report = makeReport(part.analysis, given);
  if (sites.length === 0) return report;
  const { session, parts, runtime } = await loadOnBackend(runtimes, options, async (choosing) => {
    const { runtime } = await choosing;
    const own = { ort: runtime.ort, files: part, build: runtime.build };
    const parts = new SiteParts(own, ['value', 'norm']);
    const { extras } = parts;
    return {
      parts,
      runtime: own,
      session: await AttentionSession.create({ ort: runtime.ort, runtime, files: part, given, proves: 'all', extras }),
    };
  });
  try {
    const [short, long] = lengths.map((length) => proofInputs(part, session.inputNames, length));
    const run = ({ inputs }: ProofInputs): Promise<AttentionResult> =>
      session.run(inputs, { hasWindows: true, outputs: [] });
    const first = await run(short);
    const written = await parts.read(first.layers, first.extras ?? new Map(), session.isCoarse);
    await (await modelProofs(runtime, 'written')).keep(parts.made);
    const norms = new Map([...written].map(([{ path }, { proof }]) => [path, normsText(proof)]));
    const second = short.isFixed ? undefined : await run(long);
    return {
      ...first.report,
      sites: first.report.sites.map((site, at) => {
        const shapes = [first, second].map((result) => result?.report.sites[at].checks?.shape);
        const own = norms.get(site.path);
        return {
          ...site,
          proof: proofText(session.proofs.get(sites[at]), shapes),
          ...(own === undefined ? {} : { norms: own }),
        };
      }),
    };
  } catch (error) {
    if (!(error instanceof ExplorerError) || (error.code !== 'runtimeFailed' && error.code !== 'inputNotMade'))
      throw error;
    // The report is worth having without.
    const proof = `not made: ${error.code === 'runtimeFailed' ? `the run failed (${reasonOf(error)})` : `its input ${String(error.args[0])} cannot be made`}`;
    return { ...report, sites: report.sites.map((site) => ({ ...site, proof })) };
  } finally {
    await parts.release();
    await session.release();
  }
}

/** What is proven of a site, in a clause for the report. */
function proofText(proof: Proof | undefined, [short, long]: readonly (readonly number[] | undefined)[]): string {
  const weighted =
    proof === undefined
      ? 'not made'
      : 'unproven' in proof
        ? `not made: ${proof.unproven}`
        : proof.failure !== ''
          ? `fails: ${proof.failure}`
          : `values times weights equal its result within ${proof.difference.toPrecision(1)} of the largest`;
  if (short === undefined || long === undefined) return weighted;
  const [growsDown, growsRight] = [2, 3].map((axis) => short[axis] !== long[axis]);
  const grown = growsRight
    ? growsDown
      ? 'queries and keys grow with the text'
      : `keys grow with the text, the ${short[2]} queries do not`
    : `its ${short[3]} keys do not grow with the text`;
  return `${weighted}; ${grown}`;
}

/** Whether norms of what heads write can be shown of a site, in a clause for the report. */
function normsText(proof: WrittenProof | undefined): string {
  if (proof === undefined) return 'not proven';
  if ('impossible' in proof) return `not offered: ${proof.impossible}`;
  const bound = `what its heads write adds up to what its projection gives within ${proof.difference.toPrecision(1)} of the largest`;
  return proof.isExact ? `exact: ${bound}` : `approximate, as the model rounds on the way: ${bound}`;
}
