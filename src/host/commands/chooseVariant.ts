import * as vscode from 'vscode';
import type { ModelVariant, Precision } from '../../model/modelVariants';
import { nameOf } from '../model/modelChoices';

/** What a file's name says of its weights, for people; the numbers are bits. */
function precisionHint(precision: Precision): string {
  switch (precision) {
    case 'full':
      return vscode.l10n.t('as exported');
    case 'half':
      return vscode.l10n.t('half precision, 16 bits');
    case 'int8':
      return vscode.l10n.t('quantised, 8 bits');
    case 'q4':
      return vscode.l10n.t('quantised, 4 bits');
    case 'q4f16':
      return vscode.l10n.t('quantised, 4 bits, the rest in half precision');
    case 'bnb4':
      return vscode.l10n.t('quantised, 4 bits (bitsandbytes)');
    case 'unknown':
      return '';
  }
}

/** Lets the person choose among the models of a folder, by size and precision; resolves to the chosen file's address. */
export async function chooseVariant(folder: vscode.Uri, variants: readonly ModelVariant[]): Promise<vscode.Uri | undefined> {
  const items = variants.map((variant) => ({
    label: variant.files.map((name) => name.replace(/^onnx\//, '')).reverse().join(' + '),
    description: [formatBytes(variant.bytes), precisionHint(variant.precision)].filter((part) => part !== '').join(' · '),
    variant,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Select a Model File of {0}', nameOf(folder)), placeHolder: vscode.l10n.t('The smaller, the faster; the larger, the closer to the model as trained'), matchOnDescription: true });
  return chosen && vscode.Uri.joinPath(folder, chosen.variant.name);
}

/** A size with its unit, in powers of ten. */
function formatBytes(bytes: number): string {
  if (bytes <= 0) return '';
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toLocaleString(vscode.env.language, { maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 })} ${units[power]}`;
}
