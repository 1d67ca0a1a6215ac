import * as vscode from 'vscode';
import { joinPlain, labelText, plain, type PlainText } from '../../base/safeText';
import type { ModelVariant, Precision } from '../../model/modelVariants';
import { nameOf } from '../model/modelChoices';
import { chooseOf } from '../say/lists';
import { said } from '../say/said';

/** What a file's name says of its weights, for people; the numbers are bits. */
function precisionHint(precision: Precision): PlainText {
  switch (precision) {
    case 'full':
      return said('as exported');
    case 'half':
      return said('half precision, 16 bits');
    case 'int8':
      return said('quantised, 8 bits');
    case 'q4':
      return said('quantised, 4 bits');
    case 'q4f16':
      return said('quantised, 4 bits, the rest in half precision');
    case 'bnb4':
      return said('quantised, 4 bits (bitsandbytes)');
    case 'unknown':
      return plain('');
  }
}

/** Lets the person choose among the models of a folder, by size and precision; resolves to the chosen file's address. */
export async function chooseVariant(
  folder: vscode.Uri,
  variants: readonly ModelVariant[],
): Promise<vscode.Uri | undefined> {
  const chosen = await pickVariant(plain(nameOf(folder)), variants);
  return chosen && vscode.Uri.joinPath(folder, chosen.name);
}

/** Lets the person choose among the models of something that is called so. */
export async function pickVariant(
  name: PlainText,
  variants: readonly ModelVariant[],
): Promise<ModelVariant | undefined> {
  const items = variants.map((variant) => ({
    label: labelText(
      plain(
        variant.files
          .map((name) => name.replace(/^onnx\//, ''))
          .reverse()
          .join(' + '),
      ),
    ),
    description: labelText(
      joinPlain(
        [...(variant.bytes > 0 ? [fileSize(variant.bytes)] : []), precisionHint(variant.precision)].filter(
          (part) => part !== '',
        ),
        ' · ',
      ),
    ),
    variant,
  }));
  const chosen = await chooseOf(items, {
    title: said('Select a Model File of {0}', name),
    placeholder: said('The smaller, the faster; the larger, the closer to the model as trained'),
  });
  return chosen?.variant;
}

/** A size with its unit, in powers of ten. */
export function fileSize(bytes: number): PlainText {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return plain(
    `${value.toLocaleString(vscode.env.language, { maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 })} ${units[power]}`,
  );
}
