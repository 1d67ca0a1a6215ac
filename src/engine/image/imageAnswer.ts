import { plain } from '../../base/safeText';
import type { ModelAnswer } from '../../model/modelInfo';
import type { OutputTensor } from '../runtime/feeds';

/** What a classifier says of a picture: the most probable label of each output of logits that config.json has labels for, at a fixed place in order of its outputs. */
export function readAnswers(
  outputs: ReadonlyMap<string, OutputTensor>,
  config: Readonly<Record<string, unknown>>,
): ModelAnswer[] {
  const labels = labelsOf(config['id2label']);
  if (labels.length === 0) return [];
  const answers: ModelAnswer[] = [];
  for (const [name, { dims, data }] of outputs) {
    if (
      !/logits|scores|^output/i.test(name) ||
      dims.length !== 2 ||
      dims[1] !== labels.length ||
      !(data instanceof Float32Array)
    )
      continue;
    const logits = data.subarray(0, labels.length);
    const best = logits.reduce((top, logit, i) => (logit > logits[top] ? i : top), 0);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - logits[best]), 0);
    answers.push({ label: plain(labels[best]), probability: 1 / sum });
  }
  return answers;
}

/** `{"0": "circle", "1": …}` as a list; empty where it is not such a table. */
function labelsOf(table: unknown): string[] {
  if (typeof table !== 'object' || table === null) return [];
  const entries = Object.entries(table);
  const labels = entries.map((_, i) =>
    Object.hasOwn(table, String(i)) ? (table as Record<string, unknown>)[String(i)] : undefined,
  ); // checked to be an object
  return labels.every((label) => typeof label === 'string') ? labels : [];
}
