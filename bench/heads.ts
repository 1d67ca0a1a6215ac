// The metrics of all heads beside reading all of their weights once: what the view of them waits for. In one thread, so in milliseconds of the processor.
import { readHeadTable } from '../src/engine/weights/readAllHeads';
import { WholeLayer } from '../src/engine/weights/heldLayer';
import type { ComponentInfo } from '../src/model/head';
import { applicableTo } from '../src/model/metrics/headTable';
import type { MetricTextData } from '../src/model/metrics/metricText';
import { interleave, median, processorTime } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7);
const [numLayers, numHeads] = [12, 12];
const component = (isCausal: boolean): ComponentInfo => ({
  component: 'self',
  layers: [],
  queryStream: 0,
  keyStream: 0,
  isCausal,
});

/** Rows that sum to one and have weight everywhere that they may: the most work. */
function layer(n: number, isCausal: boolean): WholeLayer {
  const weights = new Float32Array(numHeads * n * n);
  let state = 1;
  for (let row = 0; row < numHeads * n; row++) {
    const end = isCausal ? (row % n) + 1 : n;
    let sum = 0;
    for (let key = 0; key < end; key++) {
      state = (state * 48271) % 2147483647;
      sum += weights[row * n + key] = state % 1000;
    }
    for (let key = 0; key < end; key++) weights[row * n + key] /= sum;
  }
  return new WholeLayer('self', { numHeads, numQueries: n, numKeys: n, weights });
}

console.log(
  '| Tokens | Kind | All metrics | With 32 × 32 tokens asked about | Weights read once |\n|---|---|---|---|---|',
);
for (const n of [128, 512, 1024]) {
  for (const isCausal of [true, false]) {
    const one = layer(n, isCausal);
    const layers = Array.from({ length: numLayers }, () => one);
    const text: MetricTextData = {
      isCausal,
      ids: Int32Array.from({ length: n }, (_, i) => (i * 7919) % Math.ceil(n / 3)),
      delimiters: Uint8Array.from({ length: n }, (_, i) => Number(i % 6 === 0)),
      isPicture: false,
    };
    const positions = (from: number): number[] => Array.from({ length: 32 }, (_, i) => from + 2 * i);
    const asked = { queries: positions(n - 64), keys: positions(0) };
    const runs = {
      metrics: () => readHeadTable(layers, applicableTo(component(isCausal)), text),
      asked: () => readHeadTable(layers, ['reads', 'readsBaseline', 'readsRatio'], { ...text, asked }),
      read: async () => {
        let sum = 0;
        for (const each of layers)
          for (let head = 0; head < numHeads; head++) {
            const weights = await each.rows(head, 0, n);
            for (let i = 0; i < weights.length; i++) sum += weights[i];
          }
        return sum;
      },
    };
    const times = await interleave(rounds, runs, 0, processorTime);
    const said = (name: keyof typeof times): string => `${median(times[name]).toFixed(0)} ms`;
    console.log(
      `| ${n} | ${isCausal ? 'causal' : 'bidirectional'} | ${said('metrics')} | ${said('asked')} | ${said('read')} |`,
    );
  }
}
