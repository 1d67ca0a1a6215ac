import { joined, specialRun, typesOf, type TokenRun } from '../encoding';
import {
  isId,
  type JsonFields,
  Nesting,
  readSequence,
  TokenizerFormatError,
  UnsupportedPartError,
} from '../jsonFields';
import type { PostProcessor } from './postProcessor';
import { readTemplate } from './template';
import { trimOffsets } from './trimOffsets';

/** Builds the post-processor that a tokenizer.json describes. */
export function readPostProcessor(fields: JsonFields, nesting = new Nesting()): PostProcessor {
  const type = fields.string('type');
  switch (type) {
    case 'Sequence': {
      const parts = readSequence(fields, 'processors', nesting, readPostProcessor);
      return (runs, processing) => parts.reduce((current, process) => process(current, processing), runs);
    }
    case 'TemplateProcessing':
      return readTemplate(fields);
    case 'BertProcessing':
      return wrapInSpecialTokens(fields, false);
    case 'RobertaProcessing': {
      const wrap = wrapInSpecialTokens(fields, true);
      if (!fields.boolean('trim_offsets', true)) return wrap;
      const trim = readTrim(fields);
      return (runs, processing) => wrap(trim(runs, processing), processing);
    }
    case 'ByteLevel':
      return fields.boolean('trim_offsets', true) ? readTrim(fields) : (runs) => runs;
    default:
      throw new UnsupportedPartError(`the post-processor ${type}`);
  }
}

function readTrim(fields: JsonFields): PostProcessor {
  const addsSpace = fields.boolean('add_prefix_space', true);
  return (runs, { texts }) => runs.map((run) => trimOffsets(run, texts[run.text], addsSpace));
}

/**
 * `cls`, the text, `sep`; further runs, of a second text or of a step before, are treated as further sequences. RoBERTa's
 * way opens each with `sep`, too, and knows no types.
 */
function wrapInSpecialTokens(fields: JsonFields, isRoberta: boolean): PostProcessor {
  const open = readToken(fields, 'cls');
  const close = readToken(fields, 'sep');
  return (given, { addsSpecialTokens }) => {
    const runs = isRoberta ? given.map((run) => ({ ...run, typeIds: 0 })) : given;
    if (!addsSpecialTokens) return runs;
    return runs.map((run, i) => {
      const text = { ...run, isSpecial: new Array<number>(run.ids.length).fill(0) };
      if (i === 0) return concatenate([open(0), text, close(0)]);
      return concatenate(isRoberta ? [close(0), text, close(0)] : [text, close(1)]);
    });
  };
}

/** Reads a special token as `[piece, id]`. */
function readToken(fields: JsonFields, key: string): (typeId: number) => TokenRun {
  const [piece, id] = fields.array(key);
  if (typeof piece !== 'string' || !isId(id))
    throw new TokenizerFormatError(`"${fields.path}.${key}" is not a piece and its id`);
  return (typeId) => specialRun([id], [piece], typeId);
}

/** One run of several; the text is the one that the middle ones, which are not added, are of. */
function concatenate(runs: readonly TokenRun[]): TokenRun {
  return {
    text: runs.some(({ text }) => text === 1) ? 1 : 0,
    typeIds: runs.every(({ typeIds }) => typeIds === runs[0].typeIds) ? runs[0].typeIds : joined(runs.map(typesOf)),
    ids: joined(runs.map((run) => run.ids)),
    tokens: joined(runs.map((run) => run.tokens)),
    starts: joined(runs.map((run) => run.starts)),
    ends: joined(runs.map((run) => run.ends)),
    isSpecial: joined(runs.map((run) => run.isSpecial)),
  };
}
