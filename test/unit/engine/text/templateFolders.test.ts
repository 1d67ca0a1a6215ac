import { expect } from 'chai';
import { noDeadlines } from '../../../../src/engine/limits/deadlines';
import { resolveModel } from '../../../../src/engine/folder/modelFolder';
import { ModelTokenizer } from '../../../../src/engine/text/modelTokenizer';
import { tokenizeSource } from '../../../../src/engine/text/tokenizeSource';
import { memoryAccess } from '../../../engine/fixtureAccess';
import { codeOf } from '../../../harness/codeOf';
import { readFixture } from '../../../harness/fixtures';
import { wideLimits as limits } from './wideLimits';

interface TemplateFolders {
  readonly tokenizer: object;
  readonly messages: readonly object[];
  readonly tools: readonly object[];
  readonly texts: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    /** Places in `texts`, by a file's path. */
    readonly files: Readonly<Record<string, number>>;
    readonly ids: readonly number[] | null;
    readonly withTools: readonly number[] | null;
  }[];
}

describe('chat templates of folders', () => {
  // Made by transformers itself: see scripts/fixtures/templateFolders.py.
  it('are those that transformers takes, with its ids, or none where it has none', async () => {
    const { tokenizer, messages, tools, texts, cases } = JSON.parse(
      new TextDecoder().decode(await readFixture('templateFolders.json')),
    ) as TemplateFolders;
    expect(cases).to.have.length.greaterThan(400);
    let numTaken = 0;
    for (const { name, files, ids, withTools } of cases) {
      const access = memoryAccess({
        'm/model.onnx': '',
        'm/tokenizer.json': JSON.stringify(tokenizer),
        ...Object.fromEntries(Object.entries(files).map(([path, at]) => [`m/${path}`, texts[at]])),
      });
      const { chatTemplate, config, tokenizerConfig } = await resolveModel(access, 'm');
      const opened = await ModelTokenizer.open(
        { path: 'm/tokenizer.json', config, tokenizerConfig },
        access,
        noDeadlines,
      );
      const read = async (text: string): Promise<readonly number[]> => {
        const source = { tokenizer: opened, chatTemplate, deadlines: noDeadlines, givesTypes: false };
        const { stream } = await tokenizeSource(source, { text, isChatMessage: true }, limits);
        return stream.tokens.map(({ id }) => id);
      };
      const asked = [
        [ids, 'hello'],
        [ids, JSON.stringify(messages)],
        [withTools, JSON.stringify({ messages, tools })],
      ] as const;
      for (const [expected, text] of asked) {
        const told = `${name}: ${text}`;
        // What only a processor has written is taken too where nothing else of it is left, which transformers does not look at.
        const isLeftOver =
          expected === null &&
          chatTemplate?.fileName === 'chat_template.json' &&
          !('preprocessor_config.json' in files);
        if (expected !== null) expect(await read(text), told).to.deep.equal(expected);
        else if (!isLeftOver)
          expect(await codeOf(read(text)), told).to.equal(
            chatTemplate === undefined ? 'chatTemplateNotFound' : 'chatTemplateFailed',
          );
        if (expected !== null) numTaken++;
      }
    }
    expect(numTaken).to.be.greaterThan(800);
  });
});
