import assert from 'node:assert/strict';
import { describeRun } from '../../../../src/engine/serve/runLayers';
import type { HeldLayer } from '../../../../src/engine/weights/heldLayer';
import type { RunInfo } from '../../../../src/model/modelInfo';

const stream = (tokens: number, grid?: object) => ({ tokens: new Array(tokens), grid });
const timings = { load: 1.4, tokenize: 0.2, run: 30.6 };
const layer = (held: string) => ({ held }) as HeldLayer;

describe('What the log says of a run', () => {
  it('names what was read, how long it took, and what is held', () => {
    const streams = [stream(3), stream(2)] as unknown as RunInfo['streams'];
    assert.equal(
      describeRun({ streams, layers: [layer('whole')], bytes: 2.56e6 }, { name: 'm', ...timings, numReused: 1 }),
      'm: 3 + 2 tokens, 1 of them as they were; load 1 ms, tokenize 0 ms, run 31 ms; 2.6 MB of attention held',
    );
  });

  it('tells a picture, and layers that are recomputed', () => {
    const streams = [stream(5, {})] as unknown as RunInfo['streams'];
    assert.equal(
      describeRun({ streams, layers: [layer('recomputed'), layer('recomputed')], bytes: 0 }, { name: 'm', ...timings }),
      'm: 5 tokens of a picture; load 1 ms, picture 0 ms, run 31 ms; 0.0 MB of attention held, 2 layers recomputed',
    );
  });
});
