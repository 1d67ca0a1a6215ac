import { readFileSync } from 'node:fs';
import { readGenerationRules } from '../../../src/engine/text/generation';
import { renderChat } from '../../../src/engine/text/chatTemplate';
import { readAnswers } from '../../../src/engine/predict/labelAnswers';
import { gridCandidates } from '../../../src/engine/image/imageTokens';
import { readPreprocessing } from '../../../src/engine/image/readPreprocessing';
import { configuredContextLength, resolveModel } from '../../../src/engine/folder/modelFolder';
import { memoryAccess } from '../../engine/fixtureAccess';
import { codeOfPromise } from './codeOfAny';
import { oneOf, type Chances, type FuzzTarget } from './fuzzTarget';
import { mutateJson, mutateText } from './mutateJson';

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** The settings beside a model — config.json, tokenizer_config.json, generation_config.json, preprocessor_config.json, a chat template — and all that is asked of them. */
export function configTarget(): FuzzTarget {
  const chat = "{% for m in messages %}{{ m['content'] }}{% endfor %}";
  const configs = [
    read('test/fixtures/seq2seq/t5.split/config.json'),
    read('test/fixtures/seq2seq/bart.whole/config.json'),
    read('media/models/shapes-vit/config.json'),
    {
      model_type: 'x',
      text_config: { max_position_embeddings: 512 },
      vision_config: { patch_size: 16 },
      id2label: { 0: 'a', 1: 'b' },
    },
  ];
  const generations = [
    read('test/fixtures/seq2seq/marian.merged/generation_config.json'),
    {
      decoder_start_token_id: 0,
      eos_token_id: [1, 2],
      bad_words_ids: [[3]],
      no_repeat_ngram_size: 2,
      suppress_tokens: [4],
      max_length: 20,
    },
  ];
  const tokenizers = [
    { model_max_length: 512, bos_token: '<s>', eos_token: { content: '</s>' }, chat_template: chat },
    {
      chat_template: [
        { name: 'default', template: chat },
        { name: 'tools', template: '' },
      ],
      model_max_length: 1e30,
    },
  ];
  const preprocessors = Object.values(read('test/fixtures/images/processors.json') as Record<string, unknown>);
  const all = [...configs, ...generations, ...tokenizers, ...preprocessors];
  const file = (random: Chances, from: readonly unknown[]): string => {
    const text =
      JSON.stringify(random() < 0.85 ? mutateJson(random, oneOf(random, from), all) : oneOf(random, from)) ?? '';
    return random() < 0.1 ? mutateText(random, text) : text;
  };
  return {
    allowed: new Set(['', 'targetStartUnknown', 'modelUnsupported', 'chatTemplateFailed', 'imageTooLarge']),
    run: (random) =>
      codeOfPromise(
        readAll({
          'm/model.onnx': '',
          'm/config.json': file(random, configs),
          'm/tokenizer_config.json': file(random, tokenizers),
          'm/generation_config.json': file(random, generations),
          'm/preprocessor_config.json': file(random, preprocessors),
          ...(random() < 0.2 ? { 'm/chat_template.jinja': mutateText(random, chat) } : {}),
        }),
      ),
  };
}

async function readAll(files: Readonly<Record<string, string>>): Promise<void> {
  const resolved = await resolveModel(memoryAccess(files), 'm');
  const { config, generationConfig, chatTemplate, preprocessorConfig } = resolved;
  configuredContextLength(resolved);
  gridCandidates(undefined, config, { width: 224, height: 224 });
  readAnswers(new Map([['logits', { type: 'float32', dims: [1, 2], data: Float32Array.of(0, 1) }]]), config);
  const failures: unknown[] = [];
  // What one of them is refused for is no reason not to ask for the others.
  for (const ask of [
    () => readGenerationRules('m', generationConfig, config),
    () => chatTemplate && renderChat(chatTemplate, 'hello'),
    () =>
      preprocessorConfig &&
      readPreprocessing(preprocessorConfig.settings, 'm', { modelType: config['model_type'] }).shapings({
        width: 100,
        height: 50,
      }),
  ]) {
    try {
      ask();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
