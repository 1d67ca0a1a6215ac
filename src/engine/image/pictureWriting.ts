import { configNumber } from '../folder/configNumber';
import type { Settings } from '../files/modelSettings';
import type { PictureWriting } from '../text/picturedText';

/** How a kind of models writes a picture, beside the token of its features. */
type Writing = Omit<PictureWriting, 'id' | 'mark'> & Partial<Pick<PictureWriting, 'mark'>>;

const alone: Writing = { before: [], behind: [] };

/** Idefics3, SmolVLM: tiles by their rows and columns, then the thumbnail, which is all that there is of a small picture. */
const byRows = (_config: Settings, id: number): Writing => {
  const [before, behind] = ['<fake_token_around_image><global-img>', '<fake_token_around_image>'];
  return {
    before: [before],
    behind: [behind],
    tiles: (rows, columns) => [
      ...Array.from({ length: rows }, (_row, row) => [
        ...Array.from({ length: columns }, (_column, column) => [
          `<fake_token_around_image><row_${row + 1}_col_${column + 1}>`,
          id,
        ]).flat(),
        '\n',
      ]).flat(),
      `\n${before}`,
      id,
      behind,
    ],
  };
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
  idefics3: byRows,
  smolvlm: byRows,
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
  internvl: (_config, id) => ({
    before: ['<img>'],
    behind: ['</img>'],
    tiles: (rows, columns) => ['<img>', ...Array.from({ length: rows * columns + 1 }, () => id), '</img>'],
    isCut: true,
  }),
  qwen2_vl: qwen,
  qwen2_5_vl: qwen,
};

/** Kinds whose pictures take more than a vision encoder gives, with what that is, in a clause. */
const packed: Readonly<Record<string, string>> = Object.fromEntries(
  ['llava_next', 'llava_next_video', 'llava_onevision'].map((kind) => [
    kind,
    'a model of its kind puts an embedding of its own (image_newline) behind each row of a picture’s tiles, and how these files would have it is not known here',
  ]),
);

/** Why a model's pictures cannot be written, in a clause. */
export function whyNotWritten({ model_type: type }: Settings): string {
  return (
    (typeof type === 'string' && Object.hasOwn(packed, type) ? packed[type] : undefined) ??
    'how a model of its kind (model_type in config.json) writes a picture into a text is not known here'
  );
}

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
