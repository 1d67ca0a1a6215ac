import { readdirSync, existsSync, readFileSync } from 'node:fs';
import { readSafetensors, writeSafetensors } from '../../../src/cli/safetensors';
import { toModelInputs } from '../../../src/cli/storedInputs';
import { analyzeModel } from '../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../src/onnx/file/readModel';
import { mutate } from '../../unit/onnx/mutate';
import { codeOfAny } from './codeOfAny';
import { oneOf, type FuzzTarget } from './fuzzTarget';
import { mutateJson } from './mutateJson';

/** Files of tensors, their headers and bytes changed, read as the inputs of a model. */
export function feedsTarget(): FuzzTarget {
  const cases = readdirSync('test/fixtures/zoo')
    .map((name) => `test/fixtures/zoo/${name}`)
    .filter((folder) => existsSync(`${folder}/expected.safetensors`) && existsSync(`${folder}/model.onnx`))
    .map((folder) => {
      const { index } = analyzeModel(readModel(new Uint8Array(readFileSync(`${folder}/model.onnx`)), 'model.onnx'));
      // Without the results, which are large and of which nothing is read.
      const inputs = new Map(
        [...readSafetensors(new Uint8Array(readFileSync(`${folder}/expected.safetensors`)), 'expected')].filter(
          ([name]) => name.startsWith('in.'),
        ),
      );
      const bytes = writeSafetensors(inputs);
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      return {
        index,
        bytes,
        header: JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as unknown,
        data: bytes.slice(8 + length),
      };
    });
  const headers = cases.map(({ header }) => header);
  return {
    allowed: new Set(['', 'invalidArgument']),
    run(random) {
      const { index, bytes, header, data } = oneOf(random, cases);
      const file =
        random() < 0.3
          ? mutate(bytes, random)
          : withHeader(mutateJson(random, header, headers), random() < 0.2 ? mutate(data, random) : data);
      return codeOfAny(() => toModelInputs(index, readSafetensors(file, 'feeds.safetensors')));
    },
  };
}

function withHeader(header: unknown, data: Uint8Array): Uint8Array {
  const text = Buffer.from(JSON.stringify(header) ?? '');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, data]));
}
