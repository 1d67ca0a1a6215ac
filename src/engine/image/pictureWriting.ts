import { configNumber } from '../folder/configNumber';
import type { PictureWriting } from '../text/picturedText';

/** Special tokens before and behind those of a picture that is not cut, by the kind of the model: what its processor writes. */
const around: Readonly<Record<string, readonly [before: string, behind: string]>> = {
  llava: ['', ''],
  vipllava: ['', ''],
  idefics3: ['<fake_token_around_image><global-img>', '<fake_token_around_image>'],
  smolvlm: ['<fake_token_around_image><global-img>', '<fake_token_around_image>'],
};

/** How a model writes a picture into a text, by its config.json; undefined where that is not known. */
export function pictureWriting(config: Readonly<Record<string, unknown>>): PictureWriting | undefined {
  const type = config['model_type'];
  const id = configNumber(config, ['image_token_id', 'image_token_index']);
  if (typeof type !== 'string' || id === undefined || !Object.hasOwn(around, type)) return undefined;
  const [before, behind] = around[type];
  return { id, before, behind };
}
