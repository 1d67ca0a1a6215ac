import * as vscode from 'vscode';
import type { ChosenTokenizers } from '../model/chosenTokenizers';
import { nameOf } from '../model/modelChoices';
import { askForFile } from '../say/dialogs';
import { said } from '../say/said';

/** Asks for the tokenizer.json that belongs to a model, and remembers it; resolves to whether one was chosen. */
export async function chooseTokenizer(model: vscode.Uri, tokenizers: ChosenTokenizers): Promise<boolean> {
  const folder = /\.onnx$/i.test(model.path) ? vscode.Uri.joinPath(model, '..') : model;
  const chosen = await askForFile({
    title: said('Choose the tokenizer.json that belongs to {0}', nameOf(model)),
    button: said('Use This Tokenizer'),
    kind: { name: said('Tokenizers'), extensions: ['json', 'txt', 'model'] },
    startAt: folder,
  });
  if (chosen === undefined) return false;
  await tokenizers.set(model, chosen);
  return true;
}
