import * as v from 'valibot';
import { profileMetrics, type ComponentRecord, type TextRecord } from '../../model/profile/textRecord';
import { tokenClasses } from '../../model/profile/tokenClass';
import { relationIds } from '../../model/relations/relation';

/** A line of a profile's results that holds what a model did over a text begins with this and the text's key. */
export const recordStart = '{"key":"';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const base64 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]*={0,2}$/));
const sparse64 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]*={0,2}\.[A-Za-z0-9+/]*={0,2}$/));
const component = v.object({
  component: v.pipe(v.string(), v.regex(/^[a-z]+\d*$/)),
  numHeads: v.array(count),
  isCausal: v.boolean(),
  values: base64,
  uniform: base64,
  classQueries: sparse64,
  classShares: sparse64,
  classWeights: sparse64,
  relationQueries: sparse64,
  relationPairs: sparse64,
  relationSums: sparse64,
});
const schema = v.object({
  key: v.string(),
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  language: v.pipe(v.string(), v.regex(/^[a-z-]*$/)),
  chunks: v.array(v.tuple([count, count, count, count, count])),
  texts: v.optional(v.array(v.string())),
  components: v.array(component),
});

/** A record as a line, its numbers as little-endian floats in Base64: of 32 bits but for counts, and of tables those alone that are not 0, behind a bit for each. */
export function recordLine(key: string, { hash, language, chunks, texts, components }: TextRecord): string {
  return `${recordStart}${key}",${JSON.stringify({
    hash,
    language,
    chunks,
    ...(texts === undefined ? {} : { texts }),
    components: components.map((each) => ({
      ...each,
      values: written(each.values),
      uniform: written(each.uniform),
      classQueries: sparse(each.classQueries),
      classShares: sparse(each.classShares),
      classWeights: sparse(Float32Array.from(each.classWeights)),
      relationQueries: sparse(each.relationQueries),
      relationPairs: sparse(each.relationPairs),
      relationSums: sparse(Float32Array.from(each.relationSums)),
    })),
  }).slice(1)}`;
}

/** The record of a line. Throws RangeError where it is none. */
export function parseRecord(line: string): TextRecord {
  const parsed = v.safeParse(schema, JSON.parse(line));
  if (!parsed.success) throw new RangeError(`${v.getDotPath(parsed.issues[0]) ?? 'a record'} is not what it should be`);
  const { hash, language, chunks, texts, components } = parsed.output;
  return {
    hash,
    language,
    chunks,
    ...(texts === undefined ? {} : { texts }),
    components: components.map((each): ComponentRecord => {
      const numHeads = each.numHeads.reduce((sum, heads) => sum + heads, 0);
      const [numClasses, numRelations] = [tokenClasses.length, each.relationSums === '.' ? 0 : relationIds.length];
      return {
        component: each.component,
        numHeads: each.numHeads,
        isCausal: each.isCausal,
        values: new Float32Array(bytesOf(each.values, 4 * chunks.length * numHeads * profileMetrics.length)),
        uniform: new Float32Array(bytesOf(each.uniform, 4 * chunks.length * profileMetrics.length)),
        classQueries: tableOf(each.classQueries, numClasses),
        classShares: tableOf(each.classShares, numClasses ** 2),
        classWeights: tableOf(each.classWeights, numHeads * numClasses ** 2, Float32Array),
        relationQueries: tableOf(each.relationQueries, numRelations),
        relationPairs: tableOf(each.relationPairs, numRelations),
        relationSums: tableOf(each.relationSums, numHeads * numRelations * 3, Float32Array),
      };
    }),
  };
}

function written({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** A table that is mostly zeros: a bit for each number, and those that are not 0. */
function sparse(table: Float32Array | Float64Array): string {
  const bits = new Uint8Array(Math.ceil(table.length / 8));
  table.forEach((value, at) => (bits[at >> 3] |= value === 0 ? 0 : 1 << (at & 7)));
  return `${Buffer.from(bits).toString('base64')}.${written(table.filter((value) => value !== 0))}`;
}

function tableOf(
  text: string,
  length: number,
  Numbers: typeof Float32Array | typeof Float64Array = Float64Array,
): Float64Array {
  const [first, second] = text.split('.');
  const bits = new Uint8Array(bytesOf(first, Math.ceil(length / 8)));
  const table = new Float64Array(length);
  const places = [...table.keys()].filter((at) => ((bits[at >> 3] >> (at & 7)) & 1) === 1);
  const values = new Numbers(bytesOf(second, Numbers.BYTES_PER_ELEMENT * places.length));
  places.forEach((at, i) => (table[at] = values[i]));
  return table;
}

function bytesOf(text: string, length: number): ArrayBuffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== length) throw new RangeError('there are not as many numbers as there should be');
  return Uint8Array.from(bytes).buffer;
}
