import type { Processing } from './processorSteps';
import type { Raster, Region } from './raster';

/** The value of each byte of a channel, rounded where the library rounds. */
function valuesOfBytes({ rescale, normalize, offset = 0, divisors }: Processing, channel: number): Float32Array {
  const of = (list: readonly number[]): number => Math.fround(list[channel % list.length]);
  return Float32Array.from({ length: 256 }, (_, byte) => {
    let value = rescale === undefined ? byte : Math.fround(Math.fround(byte * rescale) + offset);
    if (normalize !== undefined) {
      value = Math.fround(Math.fround(value - of(normalize.mean)) / of(normalize.deviation));
    }
    return divisors === undefined ? value : Math.fround(value / of(divisors));
  });
}

/** For each colour the byte whose value is nearest to 0: what has no pixels is shown in it. */
export function bytesNearestZero(processing: Processing): readonly [number, number, number] {
  const nearest = (channel: number): number => {
    const values = valuesOfBytes(processing, channel);
    return values.reduce((best, value, byte) => (Math.abs(value) < Math.abs(values[best]) ? byte : best), 0);
  };
  const [first, second, third] = [nearest(0), nearest(1), nearest(2)];
  return processing.isBgr === true ? [third, second, first] : [first, second, third];
}

/** The values of a shaped picture: `values[(channel * height + y) * width + x]`, or the channel last; 0 around its content. */
export function pictureValues(
  { width, height, pixels, content }: Raster & { readonly content?: Region },
  processing: Processing,
  numChannels: 1 | 3,
  isChannelLast: boolean,
): Float32Array {
  const count = width * height;
  const values = new Float32Array(count * numChannels);
  const { left, top, width: across, height: down } = content ?? { left: 0, top: 0, width, height };
  for (let channel = 0; channel < numChannels; channel++) {
    // As many steps as there are byte values: each is computed once.
    const table = valuesOfBytes(processing, channel);
    const colour = processing.isBgr === true ? 2 - channel : channel;
    for (let y = top; y < top + down; y++) {
      for (let i = y * width + left; i < y * width + left + across; i++) {
        const at = i * 4;
        const byte =
          numChannels === 1
            ? (pixels[at] * 19595 + pixels[at + 1] * 38470 + pixels[at + 2] * 7471 + 0x8000) >> 16
            : pixels[at + colour];
        values[isChannelLast ? i * numChannels + channel : channel * count + i] = table[byte];
      }
    }
  }
  return values;
}
