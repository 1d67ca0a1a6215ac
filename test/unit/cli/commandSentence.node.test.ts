import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { globSync } from 'glob';
import { commandSentence } from '../../../src/cli/commandSentence';
import { errorSentences, type ErrorCode } from '../../../src/base/errors';
import { noticeSentences } from '../../../src/model/modelInfo';

/** What the editor calls things that the command line has not. */
const titles = Object.entries(
  JSON.parse(readFileSync('package.nls.json', 'utf8')) as Readonly<Record<string, string>>,
).flatMap(([key, title]) => (key.startsWith('command.') ? [title] : []));
const ofEditor = [
  ...titles.map((title) => `"${title}"`),
  'select ',
  'or choose it',
  'the log',
  'the settings say',
  'token limit',
  'workspace',
  'document',
  'panel',
  'window',
  'click',
];

/** The codes that the command line and what it runs throw. */
const thrown = globSync(['src/{cli,engine,onnx,tokenizer,model,base}/**/*.ts'])
  .filter((file) => !file.endsWith('base/errors.ts'))
  .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/'(\w+)'/g)].map(([, word]) => word))
  .filter((word): word is ErrorCode => Object.hasOwn(errorSentences, word));
/** Said where there is a window: of runs that it no longer holds, of live mode and of what is not trusted. */
const notHere: readonly ErrorCode[] = ['unknownRun', 'liveWrites', 'untrustedModel', 'engineStopped'];

describe('What the command line says of a failure', () => {
  const codes = [...new Set<ErrorCode>([...thrown, 'internal'])].filter((code) => !notHere.includes(code));

  it('speaks of options and files, not of the editor’s commands', () => {
    expect(codes).to.include.members([
      'modelNotFound',
      'tokenizerNotFound',
      'outOfMemory',
      'internal',
      'chatTemplateFailed',
    ]);
    for (const code of codes) {
      const sentence = commandSentence({ code, args: [] });
      for (const word of ofEditor) expect(sentence.toLowerCase(), code).to.not.include(word.toLowerCase());
    }
  });

  it('names the options that help', () => {
    expect(commandSentence({ code: 'tokenizerNotFound', args: ['m' as never] })).to.equal(
      'There is no tokenizer.json beside the model m: put the one that belongs to the model there, or name it with --tokenizer.',
    );
    for (const code of ['modelReadsImages', 'inputNotMade', 'noTokens'] as const)
      expect(commandSentence({ code, args: [] })).to.include('--model');
  });

  it('has a place for each argument of the editor’s sentence', () => {
    const places = (sentence: string): string[] => [...new Set(sentence.match(/\{\d\}/g))].sort();
    for (const code of Object.keys(errorSentences) as ErrorCode[])
      expect(places(commandSentence({ code, args: [] })), code).to.deep.equal(places(errorSentences[code]));
  });

  it('says notices in words that hold here too', () => {
    // These are the window’s own: nothing is selected on the command line, and no limit is set.
    const { wholeDocument, aroundCaret, cutToLimit, ...others } = noticeSentences;
    expect([wholeDocument, aroundCaret, cutToLimit]).to.have.length(3);
    for (const sentence of Object.values(others))
      for (const word of ofEditor) expect(sentence.toLowerCase()).to.not.include(word.toLowerCase());
  });
});
