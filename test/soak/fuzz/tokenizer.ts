import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { variants, type Config } from '../../unit/tokenizer/variants';
import { codeOfAny } from './codeOfAny';
import { below, oneOf, type Chances, type FuzzTarget } from './fuzzTarget';
import { mutateJson, mutateText } from './mutateJson';

const texts = [
  '',
  ' ',
  'a',
  'The quick brown fox.',
  'def f(x):\n\treturn x*2\r\n',
  'naïve café ½ ﬁ 力 한국어',
  '🦙👩‍👩‍👧 e\u0301\u0323',
  '\ud800x\udc00',
  '<s>[CLS]</s><extra>',
  "don't stop'll 12345 3.14",
  '\u0000\u200b\u202e\ufeff',
  '  \n\n  x',
];

/** Vocabularies as long as real ones would be read a hundred times for nothing: this many pieces are kept. */
const mostPieces = 80;

/** tokenizer.json files of every kind, their parts changed and exchanged; each reads some texts, and writes what it read. */
export function tokenizerTarget(): FuzzTarget {
  const configs = Object.values(variants).map(shortened);
  return {
    allowed: new Set(['', 'tokenizerInvalid', 'tokenizerUnsupported', 'tokenizerTooCostly']),
    run(random) {
      const config = mutateJson(random, oneOf(random, configs), configs);
      const json = random() < 0.05 ? mutateText(random, JSON.stringify(config)) : JSON.stringify(config);
      return codeOfAny(() => {
        const tokenizer = Tokenizer.fromJson(json);
        for (let i = 0; i < 3; i++) {
          const text = textFrom(random);
          const { ids, starts, ends } = tokenizer.encode(text, { addSpecialTokens: random() < 0.5 });
          // What is lit in an editor are ranges of the text.
          for (let token = 0; token < ids.length; token++)
            if (!(starts[token] >= 0 && starts[token] <= ends[token] && ends[token] <= text.length))
              throw new Error(`token ${token} stands for ${starts[token]} to ${ends[token]} of ${text.length}`);
          tokenizer.decode([...ids, below(random, 1000)]);
        }
      });
    },
  };
}

function textFrom(random: Chances): string {
  const text = oneOf(random, texts);
  return random() < 0.5 ? text : mutateText(random, text);
}

/** The first pieces of a vocabulary, and the merges that need no others. */
function shortened(config: Config): Config {
  const { model } = config;
  if (Array.isArray(model.vocab)) return { ...config, model: { ...model, vocab: model.vocab.slice(0, mostPieces) } };
  const vocab = Object.fromEntries(Object.entries(model.vocab ?? {}).slice(0, mostPieces));
  const merges = Array.isArray(model.merges)
    ? {
        merges: model.merges.filter((merge: unknown) =>
          [merge]
            .flat()
            .every(
              (part) =>
                typeof part === 'string' &&
                part.split(' ').every((piece) => Object.hasOwn(vocab, piece)) &&
                Object.hasOwn(vocab, [merge].flat().join('').replaceAll(' ', '')),
            ),
        ),
      }
    : {};
  return { ...config, model: { ...model, vocab, ...merges } };
}
