import * as vscode from 'vscode';
import type { ChosenTokenizers } from '../model/chosenTokenizers';
import { nameOf } from '../model/modelChoices';

/** Asks for the tokenizer.json that belongs to a model, and remembers it; resolves to whether one was chosen. */
export async function chooseTokenizer(model: vscode.Uri, tokenizers: ChosenTokenizers): Promise<boolean> {
  const folder = /\.onnx$/i.test(model.path) ? vscode.Uri.joinPath(model, '..') : model;
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Choose the tokenizer.json that belongs to {0}', nameOf(model)),
      openLabel: vscode.l10n.t('Use This Tokenizer'),
      defaultUri: folder,
      filters: { [vscode.l10n.t('Tokenizers')]: ['json'] },
    })) ?? [];
  if (chosen === undefined) return false;
  await tokenizers.set(model, chosen);
  return true;
}
