import { specialRun, type TokenRun } from '../encoding';
import { isId, type JsonFields, Nesting, readSequence, TokenizerFormatError, UnsupportedPartError } from '../jsonFields';
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
  return (runs, { text }) => runs.map((run) => trimOffsets(run, text, addsSpace));
}

/** `cls`, the text, `sep`; further runs, which only a second such step meets, are treated as further sequences. */
function wrapInSpecialTokens(fields: JsonFields, opensPairs: boolean): PostProcessor {
  const open = readToken(fields, 'cls');
  const close = readToken(fields, 'sep');
  return (runs, { addsSpecialTokens }) => {
    if (!addsSpecialTokens) return runs;
    return runs.flatMap((run, i) => {
      const text = { ...run, isSpecial: run.ids.map(() => 0) };
      if (i === 0) return [concatenate([open(), text, close()])];
      return [concatenate(opensPairs ? [close(), text, close()] : [text, close()])];
    });
  };
}

/** Reads a special token as `[piece, id]`. */
function readToken(fields: JsonFields, key: string): () => TokenRun {
  const [piece, id] = fields.array(key);
  if (typeof piece !== 'string' || !isId(id)) throw new TokenizerFormatError(`"${fields.path}.${key}" is not a piece and its id`);
  return () => specialRun([id], [piece]);
}

function concatenate(runs: readonly TokenRun[]): TokenRun {
  return {
    ids: runs.flatMap((run) => run.ids),
    tokens: runs.flatMap((run) => run.tokens),
    starts: runs.flatMap((run) => run.starts),
    ends: runs.flatMap((run) => run.ends),
    isSpecial: runs.flatMap((run) => run.isSpecial),
  };
}
