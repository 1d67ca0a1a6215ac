import * as v from 'valibot';
import { profileMetrics, type ComponentRecord, type TextRecord } from '../../model/profile/textRecord';
import { tokenClasses } from '../../model/profile/tokenClass';
import { relationIds } from '../../model/relations/relation';

/** A line of a profile's results that holds what a model did over a text begins with this and the text's key. */
export const recordStart = '{"key":"';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const base64 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]*={0,2}$/));
const component = v.object({
  component: v.pipe(v.string(), v.regex(/^[a-z]+\d*$/)),
  numHeads: v.array(count),
  isCausal: v.boolean(),
  values: base64,
  uniform: base64,
  classQueries: base64,
  classShares: base64,
  classWeights: base64,
  relationQueries: base64,
  relationPairs: base64,
  relationSums: base64,
});
const schema = v.object({
  key: v.string(),
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  language: v.pipe(v.string(), v.regex(/^[a-z-]*$/)),
  chunks: v.array(v.tuple([count, count, count, count, count])),
  texts: v.optional(v.array(v.string())),
  components: v.array(component),
});

/** A record as a line, its numbers as little-endian floats of 32 and 64 bits in Base64. */
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
      classQueries: written(each.classQueries),
      classShares: written(each.classShares),
      classWeights: written(each.classWeights),
      relationQueries: written(each.relationQueries),
      relationPairs: written(each.relationPairs),
      relationSums: written(each.relationSums),
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
      const [numClasses, numRelations] = [tokenClasses.length, each.relationSums === '' ? 0 : relationIds.length];
      return {
        component: each.component,
        numHeads: each.numHeads,
        isCausal: each.isCausal,
        values: new Float32Array(bytesOf(each.values, 4 * chunks.length * numHeads * profileMetrics.length)),
        uniform: new Float32Array(bytesOf(each.uniform, 4 * chunks.length * profileMetrics.length)),
        classQueries: new Float64Array(bytesOf(each.classQueries, 8 * numClasses)),
        classShares: new Float64Array(bytesOf(each.classShares, 8 * numClasses ** 2)),
        classWeights: new Float64Array(bytesOf(each.classWeights, 8 * numHeads * numClasses ** 2)),
        relationQueries: new Float64Array(bytesOf(each.relationQueries, 8 * numRelations)),
        relationPairs: new Float64Array(bytesOf(each.relationPairs, 8 * numRelations)),
        relationSums: new Float64Array(bytesOf(each.relationSums, 8 * numHeads * numRelations * 3)),
      };
    }),
  };
}

function written({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function bytesOf(text: string, length: number): ArrayBuffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== length) throw new RangeError('there are not as many numbers as there should be');
  return Uint8Array.from(bytes).buffer;
}
