import { expect } from 'chai';
import * as web from 'onnxruntime-web';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { proveModel } from '../../src/engine/serve/proveModel';
import { Runtimes } from '../../src/engine/runtime/runtimes';
import type { ExtractionReport } from '../../src/onnx/report/report';
import { smallModel, type SmallGraph } from '../unit/onnx/smallModel';
import { memoryAccess } from './fixtureAccess';

const runtimes = new Runtimes({ wasm: () => Promise.resolve(web) }, 1);
const options = { backend: 'wasm', threads: 1 } as const;

describe('what runs prove of a model that is inspected', () => {
  it('is that values times weights equal what each attention gives, and that its keys grow with the text', async () => {
    const { json, markdown } = await proveModel(
      nodeFileAccess,
      { path: 'test/fixtures/zoo/llama.eager.legacy/model.onnx' },
      runtimes,
      options,
    );
    const { sites } = JSON.parse(json) as ExtractionReport;
    expect(sites).to.not.be.empty;
    for (const { proof } of sites)
      expect(proof).to.match(
        /^values times weights equal its result within \de-\d of the largest; queries and keys grow with the text$/,
      );
    for (const { norms } of sites)
      expect(norms).to.match(
        /^exact: what its heads write adds up to what its projection gives within \d(?:e-\d|\.\d+) of the largest$/,
      );
    expect(markdown.match(/ · norms: exact/g)).to.have.length(sites.length);
    expect(markdown.match(/ · proof: values times weights equal its result/g)).to.have.length(sites.length);
  });

  it('says of heads that stand in several windows that their norms are for a run that draws them', async () => {
    const path = 'test/fixtures/windows/hiera.legacy/model.onnx';
    const { json } = await proveModel(nodeFileAccess, { path }, runtimes, options);
    const { sites } = JSON.parse(json) as ExtractionReport;
    expect(sites.map(({ norms }) => norms?.replace(/ within .*/, ''))).to.deep.equal([
      'not offered: its projection takes 8 features, and its heads have 32: as where heads stand in several windows each, which a run that draws them tells apart',
      'not offered: its projection takes 16 features, and its heads have 64: as where heads stand in several windows each, which a run that draws them tells apart',
      'exact: what its heads write adds up to what its projection gives',
    ]);
  });

  it('tells queries that do not grow, and keys that do not', async () => {
    const attention = (inputs: SmallGraph['inputs']): Uint8Array =>
      smallModel({
        nodes: [
          { operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['s'] },
          { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
          { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
        ],
        inputs,
        outputs: ['y'],
      });
    const proofOf = async (inputs: SmallGraph['inputs']): Promise<string> => {
      const { json } = await proveModel(
        memoryAccess({ 'm/model.onnx': attention(inputs) }),
        { path: 'm/model.onnx' },
        runtimes,
        options,
      );
      return (JSON.parse(json) as ExtractionReport).sites.map(({ proof }) => proof).join();
    };
    expect(await proofOf({ q: [1, 2, 3, 4], kt: [1, 2, 4, 'n'], v: [1, 2, 'n', 4] })).to.match(
      /; keys grow with the text, the 3 queries do not$/,
    );
    expect(await proofOf({ q: [1, 2, 'n', 4], kt: [1, 2, 4, 6], v: [1, 2, 6, 4] })).to.match(
      /; its 6 keys do not grow with the text$/,
    );
  });

  it('is said not to be made where the model cannot be run', async () => {
    const bytes = smallModel({
      nodes: [
        { operator: 'Reshape', inputs: ['q', 'shape'], outputs: ['r'] },
        { operator: 'MatMul', inputs: ['r', 'kt'], outputs: ['s'] },
        { operator: 'Softmax', inputs: ['s'], outputs: ['p'] },
        { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
      ],
      inputs: { q: [1, 'n', 4], kt: [1, 4, 'n'], v: [1, 'n', 4] },
      outputs: ['y'],
      integers: { shape: [1, 7, 4] },
    });
    const { json } = await proveModel(
      memoryAccess({ 'm/model.onnx': bytes }),
      { path: 'm/model.onnx' },
      runtimes,
      options,
    );
    expect((JSON.parse(json) as ExtractionReport).sites.map(({ proof }) => proof)).to.deep.equal([
      'not made: the run failed (a tensor of shape {1,5,4} cannot take the shape {1,7,4}: the file may be made for texts of a certain length)',
    ]);
  });
});
