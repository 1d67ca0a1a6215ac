import { ExplorerError } from '../../../src/base/errors';
import { analyzeModel } from '../../../src/onnx/find/analyzeModel';
import { planInputs } from '../../../src/onnx/inputs/inputs';
import { compactModel } from '../../../src/onnx/file/compactModel';
import { modelFacts } from '../../../src/onnx/inputs/modelFacts';
import { positionGraph } from '../../../src/onnx/rewrite/positionGraph';
import { readModel } from '../../../src/onnx/file/readModel';
import { formatReport, makeReport } from '../../../src/onnx/report/report';
import { rewriteModel } from '../../../src/onnx/rewrite/rewriteModel';
import { cutRewritten } from '../../../src/onnx/stages/cutRewritten';
import { encodeStage } from '../../../src/onnx/stages/encodeStage';

/** Does all that can be done with a model file without running it; the code of its error, `''` where there is none. Other errors are thrown on. */
export function readEverything(bytes: Uint8Array): string {
  try {
    readModel(
      compactModel({ size: bytes.length, read: (offset, length) => bytes.slice(offset, offset + length) }, 'model.onnx')
        .bytes,
      'model.onnx',
    );
  } catch (error) {
    if (!(error instanceof ExplorerError)) throw error;
  }
  try {
    const analysis = analyzeModel(readModel(bytes, 'model.onnx'));
    formatReport(makeReport(analysis));
    const names = analysis.index.inputs.map((input) => input.name);
    const { roles } = planInputs(analysis.index, names, new Set(names));
    modelFacts(analysis.index, roles);
    for (const isWhole of [true, false]) {
      const rewritten = rewriteModel(analysis, { sites: analysis.sites, isWhole });
      const { index, stages } = cutRewritten(analysis, rewritten, new Map());
      for (const stage of stages) encodeStage(index, stage, () => ({ dataType: 1, dims: undefined }));
    }
    for (const name of names.slice(0, 4)) {
      const { replacements, added, changed, sites } = positionGraph(analysis.index, analysis.sites, name);
      const also = [...sites.values()].flatMap((found) =>
        typeof found === 'string' ? [] : [found.rows, found.columns],
      );
      rewriteModel(analysis, { sites: [], isWhole: false, also, replacements, added, retyped: changed });
    }
    planInputs(analysis.index, names).make({ ids: new Int32Array(8), targetIds: new Int32Array(4) });
    return '';
  } catch (error) {
    if (error instanceof ExplorerError) return error.code;
    throw error;
  }
}

/** What a file that is broken or hostile may be answered with. */
export const allowedCodes = new Set([
  '',
  'modelTruncated',
  'modelNotOnnx',
  'modelOrtFormat',
  'modelUnsupported',
  'inputNotMade',
]);
