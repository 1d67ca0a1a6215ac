import { plain } from '../../base/safeText';
import type { ModelAnswer } from '../../model/modelInfo';
import type { OutputTensor } from '../runtime/feeds';

/** In a clause, why labels of which several may hold have no probabilities. */
export const whyNoLabels = 'its labels do not exclude each other, so that their probabilities are none of one choice';

/** What a classifier says of a picture or a text: the most probable label of each output of logits that config.json has labels for, in order of its outputs. */
export function readAnswers(
  outputs: ReadonlyMap<string, OutputTensor>,
  config: Readonly<Record<string, unknown>>,
): ModelAnswer[] {
  const names = [...outputs.keys()].filter((name) => /logits|scores|^output/i.test(name));
  return names.flatMap((name) => readLabels(outputs.get(name), config).slice(0, 1));
}

/** All labels with their probabilities by a classifier's logits, the most probable first; none where the logits are not one for each label of config.json. */
export function readLabels(output: OutputTensor | undefined, config: Readonly<Record<string, unknown>>): ModelAnswer[] {
  const labels = labelsOf(config['id2label']);
  if (output === undefined || labels.length === 0) return [];
  const { dims, data } = output;
  if (dims.length !== 2 || dims[1] !== labels.length || !(data instanceof Float32Array)) return [];
  const logits = data.subarray(0, labels.length);
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  const order = Array.from(labels, (_, i) => i).sort((a, b) => logits[b] - logits[a]);
  return order.map((i) => ({ label: plain(labels[i]), probability: Math.exp(logits[i] - largest) / sum }));
}

/** `{"0": "circle", "1": …}` as a list; empty where it is not such a table. */
export function labelsOf(table: unknown): string[] {
  if (typeof table !== 'object' || table === null) return [];
  const entries = Object.entries(table);
  const labels = entries.map((_, i) =>
    Object.hasOwn(table, String(i)) ? (table as Record<string, unknown>)[String(i)] : undefined,
  ); // checked to be an object
  return labels.every((label) => typeof label === 'string') ? labels : [];
}
