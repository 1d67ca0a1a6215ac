import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { fromTensor, type OutputTensor } from '../../src/engine/runtime/feeds';
import { portable } from '../../src/engine/session/sessionPlan';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { RecomputedRows } from '../../src/engine/long/recomputedRows';
import { ScoreSessions } from '../../src/engine/long/scoreSessions';
import { findScoreGraph } from '../../src/onnx/rewrite/scoreGraph';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What separates a recomputed row from the model's own: a product of fewer rows adds up in another order; half precision rounds it. */
const tolerance = { float32: 1e-6, float16: 2 ** -11 };

const recomputed = [
  'bart.sdpa.legacy',
  'bert.eager.dynamo',
  'bert.sdpa.legacy',
  'bert.sdpa.legacy.fp16',
  'bert.sdpa.legacy.int8',
  'bert.sdpa.legacy.qdq',
  'bert_mlm.sdpa.dynamo',
  'craft.decomposed.legacy',
  'craft.sigmoid.legacy',
  'craft.sink_logits.legacy',
  'craft.worked_example',
  'distilbert.eager.legacy',
  'gemma2.eager.legacy',
  'gpt2.eager.dynamo',
  'gpt2.sdpa.legacy',
  'gpt2.sdpa.legacy.external',
  'gpt2.sdpa.legacy.merged',
  'llama.eager.legacy',
  'llama.sdpa.dynamo',
  'llama.sdpa.legacy.q4',
  'mistral.sdpa.dynamo',
  'modernbert.sdpa.legacy',
  'qwen2.sdpa.legacy',
  'roberta_mlm.sdpa.legacy',
  't5.eager.legacy',
  'vit.eager.dynamo',
  'vit.sdpa.legacy',
  'whisper.sdpa.dynamo',
];
const others: Readonly<Record<string, string>> = {
  'craft.additive.legacy': 'its scores are more than one product of queries and keys',
  'craft.linear.legacy': 'its weights are not made by the graph itself',
  'craft.gqa_plain': 'its weights are not made by the graph itself',
  'craft.qattention': 'its weights are not made by the graph itself',
  'deberta_v2.eager.legacy': 'its queries or keys go into more than one product',
  'llama.sdpa.op23': 'its weights are not made by the graph itself',
};

describe('rows recomputed from queries and keys', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  const open = async (name: string) => {
    const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), 'expected.safetensors');
    const files = await readModelFiles(
      fixtureAccess,
      `zoo/${name}/model.onnx`,
      (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0,
    );
    return { files, inputs: toModelInputs(files.analysis.index, expected) };
  };

  for (const name of recomputed) {
    it(`equal those of ${name}`, async () => {
      const { files, inputs } = await open(name);
      const { index, sites } = files.analysis;
      const plans = sites.map((site) => ({ site, graph: findScoreGraph(index, site) }));
      const wanted = new Map<string, string[]>();
      const tapInputs: Uint8Array[] = [];
      const session = await AttentionSession.create({
        ort,
        files,
        taps: {
          tap: (site, weights) => {
            const { graph } = plans.find((plan) => plan.site === site) ?? {};
            if (graph === undefined || typeof graph === 'string') throw new Error(graph);
            const outputs = [weights, graph.queries, graph.keys, ...graph.boundaries.map(({ tensor }) => tensor)];
            wanted.set(site.path, outputs);
            return { outputs, nodes: [], initializers: [], valueInfos: [] };
          },
          tapInputs,
        },
      });
      const results = await session.fetch(inputs, [...new Set([...wanted.values()].flat())], {});
      await session.release();
      const tensors = new Map(
        Object.entries(results).flatMap(([key, tensor]): [string, OutputTensor][] =>
          tensor === undefined ? [] : [[key, fromTensor(tensor)]],
        ),
      );
      const sessions = new ScoreSessions(ort, portable);
      for (const { site, graph } of plans) {
        if (typeof graph === 'string') throw new Error(graph);
        const rows = new RecomputedRows(sessions, index, graph, tensors);
        const { data, dims } = tensors.get(wanted.get(site.path)?.[0] ?? '') ?? {};
        if (!(data instanceof Float32Array) || dims === undefined) throw new Error('no weights');
        expect(dims.slice(-2)).to.deep.equal([rows.numQueries, rows.numKeys]);
        expect(data.length).to.equal(rows.numHeads * rows.numQueries * rows.numKeys);
        let largest = 0;
        for (let head = 0; head < rows.numHeads; head++) {
          for (let from = 0; from < rows.numQueries; from += 5) {
            const part = await rows.rows(head, from, Math.min(from + 5, rows.numQueries));
            const at = (head * rows.numQueries + from) * rows.numKeys;
            part.forEach((weight, i) => {
              const difference = Math.abs(weight - data[at + i]);
              if (!(difference <= largest)) largest = difference;
            });
          }
        }
        expect(largest, site.path).to.be.at.most(name.includes('fp16') ? tolerance.float16 : tolerance.float32);
      }
      await sessions.letGo();
    });
  }

  for (const [name, reason] of Object.entries(others)) {
    it(`are not tried for ${name}`, async () => {
      const { files } = await open(name);
      expect(findScoreGraph(files.analysis.index, files.analysis.sites[0])).to.equal(reason);
    });
  }
});
