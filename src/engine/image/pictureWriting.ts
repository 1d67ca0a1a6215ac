import { configNumber } from '../folder/modelFolder';
import type { Settings } from '../files/modelSettings';
import type { PictureWriting } from '../text/picturedText';

/** How a kind of models writes a picture, beside the token of its features. */
type Writing = Omit<PictureWriting, 'id' | 'mark'> & Partial<Pick<PictureWriting, 'mark'>>;

const alone: Writing = { before: [], behind: [] };

/** A picture that is not cut, among others that could be. */
const global: Writing = {
  before: ['<fake_token_around_image><global-img>'],
  behind: ['<fake_token_around_image>'],
};

/** What the processors of `transformers` write, by the kind of the model; ids as its own configuration has them where config.json leaves them out. */
const writings: Readonly<Record<string, (config: Settings) => Writing>> = {
  llava: () => alone,
  vipllava: () => alone,
  idefics3: () => global,
  smolvlm: () => global,
  gemma3: (config) => {
    const [begin, end] = [numberOf(config, 'boi_token_index', 255_999), numberOf(config, 'eoi_token_index', 256_000)];
    return { mark: begin, before: ['\n\n', begin], behind: [end, '\n\n'], hasTypes: true };
  },
  paligemma: (config) => ({
    before: [],
    behind: [numberOf(config, 'bos_token_id', 2)],
    atEnd: '\n',
    isBare: true,
    positionsOf: countedFromOne,
  }),
};

/** How a model writes a picture into a text, by its config.json; undefined where that is not known. */
export function pictureWriting(config: Settings): PictureWriting | undefined {
  const type = config['model_type'];
  const id = configNumber(config, ['image_token_id', 'image_token_index']);
  if (typeof type !== 'string' || id === undefined || !Object.hasOwn(writings, type)) return undefined;
  return { id, mark: id, ...writings[type](config) };
}

function numberOf(config: Settings, name: string, usual: number): number {
  return configNumber(config, [name]) ?? usual;
}

function countedFromOne(ids: readonly number[]): readonly (readonly number[])[] {
  return [ids.map((_, place) => place + 1)];
}
