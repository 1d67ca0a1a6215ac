import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { drawnCell } from '../../src/engine/how/drawnCell';
import { ImageModel } from '../../src/engine/image/imageModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import type { FedFile } from '../../src/engine/session/fedInput';
import type { HeldLayer } from '../../src/engine/weights/heldLayer';
import { scenes, type Scene, type SceneName } from '../../src/host/course/scenes';
import type { ComponentInfo, HeadRef } from '../../src/model/head';
import type { How } from '../../src/model/how/how';
import { headMetrics, type HeadMetrics } from '../../src/model/metrics/headTable';
import { metricTextOf } from '../../src/model/metrics/metricText';
import type { TokenStream } from '../../src/model/token';

const root = process.cwd();
const models = `${root}/media/models`;

/** What a model has read: its attention, and what it was fed. */
interface Reading {
  readonly model: LoadedModel | ImageModel;
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
  readonly layers: readonly HeldLayer[];
  readonly fed: readonly FedFile[];
}

/** A head's weights, row by row. */
type Rows = readonly Float32Array[];

/** What the course shows, computed from the files that ship: each model is loaded once, and each text is read once. */
export class CourseScenes {
  readonly #runtime = Promise.resolve({ runtime: new Runtime(ort, 1), reason: '' });
  readonly #models = new Map<string, Promise<LoadedModel | ImageModel>>();
  readonly #readings = new Map<string, Promise<Reading>>();
  readonly #hows = new Map<string, Promise<How>>();

  /** What a scene's model makes of what the scene shows. */
  reading(name: SceneName): Promise<Reading> {
    const { model, text = '', extension } = scenes[name] as Scene;
    return kept(this.#readings, `${model}/${text}`, async () => {
      const spec = { path: `${models}/${model}`, backend: 'wasm', threads: 1 } as const;
      const catalogue = JSON.parse(await readFile(`${models}/models.json`, 'utf8')) as Readonly<
        Record<string, { readonly sample: { readonly lines?: readonly string[]; readonly picture?: string } }>
      >; // our own list
      const { lines = [], picture = '' } = catalogue[model].sample;
      if (extension === 'png') {
        const loaded = (await kept(this.#models, model, () =>
          ImageModel.load(this.#runtime, nodeFileAccess, spec),
        )) as ImageModel; // it reads pictures
        const { picture: prepared } = await loaded.prepare(await readFile(`${models}/${picture}`), picture);
        return { ...(await loaded.run(prepared)), model: loaded, fed: loaded.fed };
      }
      const loaded = (await kept(this.#models, model, () =>
        LoadedModel.load(this.#runtime, nodeFileAccess, spec),
      )) as LoadedModel; // it reads texts
      const explained = await loaded.explain({ text: text === '' ? lines.join('\n') : text, tokenLimit: 0 });
      return { ...explained, model: loaded, fed: loaded.fed };
    });
  }

  /** The component of a scene, and where its layers begin among those of the reading. */
  async component(name: SceneName): Promise<{ readonly component: ComponentInfo; readonly firstLayer: number }> {
    const { components } = await this.reading(name);
    let firstLayer = 0;
    for (const component of components) {
      if (component.component === scenes[name].component) return { component, firstLayer };
      firstLayer += component.layers.length;
    }
    throw new Error(`${name}: the model has no such component`);
  }

  /** The weights of a head, of the scene's own where none is named. */
  async rows(name: SceneName, { layer, head }: HeadRef = scenes[name]): Promise<Rows> {
    const { layers } = await this.reading(name);
    const { firstLayer } = await this.component(name);
    const held = layers[firstLayer + layer];
    const weights = await held.rows(head, 0, held.numQueries);
    return Array.from({ length: held.numQueries }, (_, query) =>
      weights.slice(query * held.numKeys, (query + 1) * held.numKeys),
    );
  }

  /** The metrics of a head. */
  async metrics(name: SceneName, head: HeadRef): Promise<HeadMetrics> {
    const { streams } = await this.reading(name);
    const { component } = await this.component(name);
    const rows = await this.rows(name, head);
    const weights = Float32Array.from(rows.flatMap((row) => [...row]));
    return headMetrics({ numQueries: rows.length, numKeys: rows[0].length, weights }, metricTextOf(component, streams));
  }

  /** How a weight of the scene's head came about. */
  how(name: SceneName, query: number, key: number): Promise<How> {
    const { component, layer, head } = scenes[name];
    return kept(this.#hows, `${name}/${query}/${key}`, async () => {
      const { model, streams, components, fed } = await this.reading(name);
      const rows = await this.rows(name);
      return model.how(
        await drawnCell({ component, layer, head, query, key }, components, streams, () =>
          Promise.resolve(rows[query]),
        ),
        fed,
      );
    });
  }

  /** What a model that fills in masked tokens holds most probable at a place. */
  async guess(name: SceneName, position: number): Promise<{ readonly piece: string; readonly chance: number }> {
    const { fed } = await this.reading(name);
    const folder = `${models}/${scenes[name].model}`;
    const session = await AttentionSession.create({
      ort,
      files: await readModelFiles(nodeFileAccess, `${folder}/model.onnx`),
      wantOutputs: true,
    });
    const logits = (await session.outputs(fed[0].inputs, ['logits'])).get('logits');
    await session.release();
    if (!(logits?.data instanceof Float32Array)) throw new Error('no logits');
    const width = logits.dims[2];
    const scores = logits.data.subarray(position * width, (position + 1) * width);
    const chances = softmax([...scores]);
    const best = chances.indexOf(Math.max(...chances));
    const { model } = JSON.parse(await readFile(`${folder}/tokenizer.json`, 'utf8')) as {
      readonly model: { readonly vocab: Readonly<Record<string, number>> };
    }; // our own tokenizer
    const [piece = ''] = Object.entries(model.vocab).find(([, id]) => id === best) ?? [];
    return { piece, chance: chances[best] };
  }

  async release(): Promise<void> {
    for (const model of this.#models.values()) await (await model).release();
  }
}

/** Softmax in double precision. */
export function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function kept<T>(into: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const known = into.get(name) ?? make();
  into.set(name, known);
  return known;
}
