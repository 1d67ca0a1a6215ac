import { configNumber } from '../folder/configNumber';
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

/** Qwen2-VL, Qwen2.5-VL: what their chat templates write around a picture's token. */
const qwen = (config: Settings, id: number): Writing => ({
  ...alone,
  whereMissing: [
    [numberOf(config, 'vision_start_token_id', 151_652)],
    [numberOf(config, 'vision_end_token_id', 151_653)],
  ],
  positionsOf: alongThreeAxes(id),
});

/** What the processors of `transformers` write, by the kind of the model; ids as its own configuration has them where config.json leaves them out. */
const writings: Readonly<Record<string, (config: Settings, id: number) => Writing>> = {
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
  internvl: () => ({ before: ['<img>'], behind: ['</img>'], isCut: true }),
  qwen2_vl: qwen,
  qwen2_5_vl: qwen,
};

/** How a model writes a picture into a text, by its config.json; undefined where that is not known. */
export function pictureWriting(config: Settings): PictureWriting | undefined {
  const type = config['model_type'];
  const id = configNumber(config, ['image_token_id', 'image_token_index']);
  if (typeof type !== 'string' || id === undefined || !Object.hasOwn(writings, type)) return undefined;
  return { id, mark: id, ...writings[type](config, id) };
}

function numberOf(config: Settings, name: string, usual: number): number {
  return configNumber(config, [name]) ?? usual;
}

function countedFromOne(ids: readonly number[]): readonly (readonly number[])[] {
  return [ids.map((_, place) => place + 1)];
}

/** Time, row and column: a text goes on along all three, from behind the longer side of the picture (`get_rope_index`). */
function alongThreeAxes(image: number): NonNullable<PictureWriting['positionsOf']> {
  return (ids, { rows, columns }) => {
    const axes: [number[], number[], number[]] = [[], [], []];
    let next = 0;
    let patch = 0;
    for (const id of ids) {
      const isPatch = id === image;
      if (!isPatch && patch > 0) {
        next += Math.max(rows, columns);
        patch = 0;
      }
      axes[0].push(next);
      axes[1].push(next + (isPatch ? Math.floor(patch / columns) : 0));
      axes[2].push(next + (isPatch ? patch % columns : 0));
      if (isPatch) patch++;
      else next++;
    }
    return axes;
  };
}
