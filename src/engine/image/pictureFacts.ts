import type { Notice } from '../../model/modelInfo';
import { referenceVersion } from './processorDefaults';
import type { PixelSize } from './raster';
import type { Preprocessing } from './readPreprocessing';
import { sizeAfter } from './shapings';

const list = (numbers: readonly number[]): string =>
  `[${numbers.map((number) => String(Number(number.toPrecision(6)))).join(', ')}]`;

/** Where it comes from how pictures are made ready: the image processor, its file, and what that leaves to the class. */
export function settingsFacts({ processor, by, file, assumed }: Preprocessing): Notice[] {
  if (file === '') return [];
  const settings: Notice =
    by === 'assumption'
      ? { code: 'processorAssumed', args: [file] }
      : { code: 'pictureSettings', args: [processor, file, referenceVersion] };
  return [
    settings,
    ...(assumed.length === 0 ? [] : [{ code: 'pictureDefaults', args: [file, assumed.join(', ')] } as const]),
  ];
}

/** What was done to a picture of a size, step by step, and to its values. */
export function stepFacts(
  { shapings, rescale, offset, normalize, divisors, isBgr }: Preprocessing,
  source: PixelSize,
): Notice[] {
  const facts: Notice[] = [];
  let size: PixelSize = source;
  for (const shaping of shapings(source)) {
    const from = size;
    size = sizeAfter(from, shaping);
    const args = [from.width, from.height, size.width, size.height];
    facts.push({
      code:
        shaping.kind === 'crop' ? 'pictureStepCut' : shaping.kind === 'pad' ? 'pictureStepPadded' : 'pictureStepScaled',
      args,
    });
  }
  const values = [
    ...(rescale === undefined ? [] : [`× ${Number(rescale.toPrecision(6))}`]),
    ...(offset === undefined ? [] : [`− ${-offset}`]),
    ...(normalize === undefined ? [] : [`− ${list(normalize.mean)}`, `÷ ${list(normalize.deviation)}`]),
    ...(divisors === undefined ? [] : [`÷ ${list(divisors)}`]),
    ...(isBgr === true ? ['BGR'] : []),
  ];
  return values.length === 0 ? facts : [...facts, { code: 'pictureStepValues', args: [values.join(', ')] }];
}
