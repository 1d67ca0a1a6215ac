import { expect } from 'chai';
import { runtimeBuilds } from '../../src/engine/runtime/backends';
import { fromTensor, toFloats, toTensor } from '../../src/engine/runtime/feeds';
import { openPart } from '../../src/engine/session/openPart';
import { analyzeModel } from '../../src/onnx/find/analyzeModel';
import { dataType } from '../../src/onnx/file/dataType';
import { readModel } from '../../src/onnx/file/readModel';
import { rewriteModel } from '../../src/onnx/rewrite/rewriteModel';
import { plainAttention, smallModel, type SmallGraph } from '../unit/onnx/smallModel';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const half = dataType.float16;

describe('a part of a model', () => {
  const run = async (graph: SmallGraph): Promise<readonly number[]> => {
    const ort = await importRuntime();
    const bytes = smallModel(graph);
    const analysis = analyzeModel(readModel(bytes, 'model.onnx'));
    const rewritten = rewriteModel(analysis, { sites: [], isWhole: false, also: ['y'] });
    const files = { path: 'model.onnx', name: 'model.onnx', analysis, access: memoryAccess({}) };
    const session = await openPart({ ort, files, build: runtimeBuilds.web }, rewritten);
    const ones = (name: string, dims: readonly number[]) =>
      toTensor(ort, { name, type: 'float16', dims, data: new Uint16Array(8).fill(0x3c00) });
    const { y } = await session.run({
      q: ones('q', [1, 2, 1, 4]),
      kt: ones('kt', [1, 2, 4, 1]),
      v: ones('v', [1, 2, 1, 4]),
    });
    await session.release();
    return [...(toFloats(fromTensor(y)) ?? [])];
  };
  const [scores, softmax, weighted] = plainAttention.nodes;
  const castTo = (to: number): SmallGraph => ({
    ...plainAttention,
    types: { q: half, kt: half, v: half, y: half },
    nodes: [
      scores,
      softmax,
      { operator: 'Cast', inputs: ['p'], outputs: ['c'], attributes: { to: { integer: to } } },
      { ...weighted, inputs: ['c', 'v'] },
    ],
  });

  it('opens where half precision is cast to half precision, which the runtime takes only when it optimises', async () => {
    expect(await run(castTo(half))).to.deep.equal(Array.from({ length: 8 }, () => 1));
  });

  it('is refused as the runtime refuses it where it is of no right types', async () => {
    const error: unknown = await run(castTo(dataType.int64)).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(String(error)).to.include('Type');
  });
});
