import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { scenes, stations, type SceneName, type Station } from '../../src/host/course/scenes';
import { headLabel, type HeadRef } from '../../src/model/head';
import { agrees, type How, type HowKind, type HowName } from '../../src/model/how/how';
import type { MetricId } from '../../src/model/metrics/metrics';
import { CourseScenes, softmax } from './courseScenes';

// Each number of the course, and each token that it names, has a comment behind it which says what it is: `0.944<!--= alignment weight 6 9 -->`.
// Here it is computed from the models that ship, and no number may stand there without.
const folder = `${process.cwd()}/media/course`;
const languages = ['', '.nls.zh-cn'];
const marked = /(?:`([^`]+)`|(\d+(?:\.\d+)?))\**<!--= ([^>]*?) -->/g;

const course = new CourseScenes();
after(() => course.release());

/** What a mark stands for: a number, or a text. */
type Known = number | string;

/** One head, as a mark names it, or the scene's own. */
const headOf = (name: SceneName, label: string | undefined): HeadRef => {
  if (label === undefined) return scenes[name];
  const [layer, head] = label.split('.').map(Number);
  return { layer, head };
};

const stepOf = (how: How, kind: string): How['steps'][number] => {
  const step = how.steps.find((each) => each.kind === (kind as HowKind));
  if (step === undefined || !agrees(step)) throw new Error(`there is no step ${kind} that agrees`);
  return step;
};

const numbersOf = (how: How, kind: string, name: string): How['steps'][number]['numbers'][number] => {
  const numbers = stepOf(how, kind).numbers.find((each) => each.name === (name as HowName));
  if (numbers === undefined) throw new Error(`${kind} has no ${name}`);
  return numbers;
};

const entropyOf = (row: Iterable<number>): number =>
  [...row].reduce((sum, weight) => sum - (weight > 0 ? weight * Math.log(weight) : 0), 0);

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** What marks can ask for; the first argument is the scene. */
const known: Readonly<Record<string, (name: SceneName, ...args: string[]) => Promise<Known>>> = {
  /** The weight of a query for a key, in the scene's head or another. */
  weight: async (name, query, key, head) => (await course.rows(name, headOf(name, head)))[Number(query)][Number(key)],
  /** The share of a row that its strongest keys have. */
  top: async (name, query, many, head) =>
    sumOf(
      [...(await course.rows(name, headOf(name, head)))[Number(query)]].sort((a, b) => b - a).slice(0, Number(many)),
    ),
  queries: async (name) => (await course.rows(name)).length,
  keys: async (name) => (await course.rows(name))[0].length,
  cells: async (name) => sumOf((await course.rows(name)).map(({ length }) => length)),
  /** The entropy of a row in nats, as many tokens read alike as have it, and the largest that there is. */
  entropy: async (name, query, head) => entropyOf((await course.rows(name, headOf(name, head)))[Number(query)]),
  effective: async (name, query) => Math.exp(entropyOf((await course.rows(name))[Number(query)])),
  uniformEntropy: async (name) => Math.log((await course.rows(name))[0].length),
  layers: async (name) => (await course.component(name)).component.layers.length,
  headsPerLayer: async (name) => {
    const numbers = new Set((await course.component(name)).component.layers.map(({ numHeads }) => numHeads));
    expect(numbers.size).to.equal(1);
    return [...numbers][0];
  },
  /** A token as it stands in its text; a special one by its name. */
  piece: async (name, stream, position) => {
    const { text, tokens } = (await course.reading(name)).streams[Number(stream)];
    const { start, end, piece } = tokens[Number(position)];
    return text.slice(start, end).trim() || piece;
  },
  written: async (name) => {
    const { streams } = await course.reading(name);
    return streams.find(({ role }) => role === 'target')?.text ?? '';
  },
  metric: async (name, metric, head) => (await course.metrics(name, headOf(name, head)))[metric as MetricId],
  /** How many heads of a layer have more than so much of a metric. */
  headsAbove: async (name, layer, metric, least) => {
    const { numHeads } = (await course.component(name)).component.layers[Number(layer)];
    let count = 0;
    for (let head = 0; head < numHeads; head++)
      if ((await course.metrics(name, { layer: Number(layer), head }))[metric as MetricId] > Number(least)) count++;
    return count;
  },
  /** The mean weight on the token after. */
  nextToken: async (name, head) => {
    const rows = await course.rows(name, headOf(name, head));
    return sumOf(rows.slice(0, -1).map((row, query) => row[query + 1])) / (rows.length - 1);
  },
  /** A number of a step of how a weight of the scene's head came about. */
  how: async (name, query, key, kind, numbers, at) =>
    numbersOf(await course.how(name, Number(query), Number(key)), kind, numbers).values[Number(at)],
  /** How many numbers an array of a step has. */
  width: async (name, query, key, kind, numbers) =>
    sumOf(
      numbersOf(await course.how(name, Number(query), Number(key)), kind, numbers)
        .dims.slice(-1)
        .map(Number),
    ),
  /** How many keys a mask takes out of a row. */
  masked: async (name, query, key) =>
    [...numbersOf(await course.how(name, Number(query), Number(key)), 'mask', 'other').values].filter(
      (each) => each < -1e30,
    ).length,
  /** What a head writes of a key, as a norm. */
  contribution: async (name, query, key) =>
    numbersOf(await course.how(name, Number(query), Number(key)), 'contributors', 'norms').values[Number(key)],
  /** The numbers that linear attention sums over the keys. */
  summary: async (name, query, key) => {
    const how = await course.how(name, Number(query), Number(key));
    return numbersOf(how, 'features', 'key').values.length * numbersOf(how, 'values', 'value').values.length;
  },
  /** The difference of two scores before they are divided, and the row's weights without the division. */
  difference: async (name, query, key) => {
    const [one, other] = numbersOf(await course.how(name, Number(query), Number(key)), 'division', 'before').values;
    return one - other;
  },
  unscaled: async (name, query, key, at) =>
    softmax([...numbersOf(await course.how(name, Number(query), Number(key)), 'division', 'before').values])[
      Number(at)
    ],
  /** How a weight grows with its own score, with the division and without it. */
  slope: async (name, query, key) => {
    const weight = (await course.rows(name))[Number(query)][Number(key)];
    return weight * (1 - weight);
  },
  unscaledSlope: async (name, query, key, at) => {
    const weight = Number(await known['unscaled'](name, query, key, at));
    return weight * (1 - weight);
  },
  /** A weight of a row whose scores are divided by a temperature. */
  tempered: async (name, temperature, query, key) => {
    const { values } = numbersOf(await course.how(name, Number(query), 1), 'maximum', 'row');
    return softmax([...values].map((score) => score / Number(temperature)))[Number(key)];
  },
  guess: async (name, position) => (await course.guess(name, Number(position))).piece,
  chance: async (name, position) => (await course.guess(name, Number(position))).chance,
};

/** What a mark stands for. Throws where it asks for what there is not. */
async function evaluate(expression: string): Promise<Known> {
  const [name, ask, ...args] = expression.split(' ');
  if (!(name in scenes) || !(ask in known)) throw new Error(`nothing is known of «${expression}»`);
  return known[ask](name as SceneName, ...args);
}

/** Whether a number that is written is one rounded to as many places. */
function isRounded(written: string, value: number): boolean {
  const places = written.split('.')[1]?.length ?? 0;
  // A runtime of another processor may differ in the seventh digit.
  return Math.abs(Number(written) - value) <= 0.5 * 10 ** -places + 1e-6 * Math.abs(value) + 1e-12;
}

/** What is wrong with the marks of a text. */
async function wrongMarks(text: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const [, code, number, expression] of text.matchAll(marked)) {
    const value = await evaluate(expression).catch((error: unknown) => String(error));
    const isRight =
      typeof value === 'number'
        ? number !== undefined && isRounded(number, value)
        : code !== undefined && code === value;
    if (!isRight) wrong.push(`${code ?? number} should be ${value} (${expression})`);
  }
  return wrong;
}

/** Digits that are not computed: years of the literature, heads of the station, names of tokens, what a reader is to enter. */
function unmarkedDigits(text: string, station: Station): string[] {
  const own = Object.values(scenes).filter((scene) => scene.station === station);
  const labels = new Set([...own.map((scene) => headLabel(scene)), '0.0', '1.0']);
  const texts = ['x1', 'x2', 'x3', 'x1 x2 x3', 'x3 x1 x2', '3rd of May 1979'];
  return text
    .replaceAll(marked, '')
    .replaceAll(/`([^`]*)`/g, (_, code: string) => (texts.includes(code) ? '' : code))
    .replaceAll(/\(([^()]*\b(?:19|20)\d\d)\)/g, '')
    .replaceAll(/\b(?:head )?(\d\.\d)\b/gi, (whole, label: string) => (labels.has(label) ? '' : whole))
    .replaceAll(/\bT = \d+\b/g, '')
    .replaceAll(/^\| \| x1 \| x2 \| x3 \|$/gm, '')
    .split('\n')
    .filter((line) => /\d/.test(line));
}

describe('the course', function () {
  this.timeout(120_000);
  const read = (station: Station, language: string): string =>
    readFileSync(`${folder}/${station}${language}.md`, 'utf8');

  it('has a text for each station in each language, and nothing else', () => {
    expect(readdirSync(folder).sort()).to.deep.equal(
      stations.flatMap((station) => languages.map((language) => `${station}${language}.md`)).sort(),
    );
  });

  for (const station of stations)
    for (const language of languages)
      it(`says nothing that its models do not: ${station}${language}`, async () => {
        const text = read(station, language);
        expect([...text.matchAll(marked)].length).to.equal(text.split('<!--').length - 1);
        expect(unmarkedDigits(text, station)).to.deep.equal([]);
        expect(await wrongMarks(text)).to.deep.equal([]);
      });

  it('computes the same in each language', () => {
    for (const station of stations) {
      const [first, ...others] = languages.map((language) =>
        [...read(station, language).matchAll(marked)]
          .map(([, code, number, expression]) => `${code ?? number} ${expression}`)
          .sort(),
      );
      for (const other of others) expect(other, station).to.deep.equal(first);
    }
  });

  it('is found wrong where a number is, or a token, or where one stands unmarked', async () => {
    expect(await wrongMarks('0.945<!--= alignment weight 6 9 -->')).to.have.length(1);
    expect(await wrongMarks('`z`<!--= alignment piece 0 9 -->')).to.have.length(1);
    expect(await wrongMarks('0.944<!--= alignment nothing 6 9 -->')).to.have.length(1);
    expect(await wrongMarks('0.944<!--= alignment weight 6 9 -->')).to.have.length(0);
    expect(unmarkedDigits('The weight is 0.944.', 'bottleneck')).to.have.length(1);
    expect(unmarkedDigits('Head 3.3 does it.', 'bottleneck')).to.have.length(1);
  });

  it('shows in each scene a head, tokens and a step that the model has', async () => {
    for (const name of Object.keys(scenes) as SceneName[]) {
      const scene: (typeof scenes)[SceneName] & { readonly pinned?: { stream: number; position: number } } =
        scenes[name];
      const { streams } = await course.reading(name);
      expect((await course.rows(name)).length, name).to.be.greaterThan(1);
      if (scene.pinned !== undefined)
        expect(scene.pinned.position, name).to.be.lessThan(streams[scene.pinned.stream].tokens.length);
      if ('open' in scene && scene.open.view === 'how') {
        const { query, key, step } = scene.open;
        expect(
          (await course.how(name, query, key)).steps.map(({ kind }) => kind),
          name,
        ).to.include(step);
      }
    }
  });
});
