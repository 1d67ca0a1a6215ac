import * as vscode from 'vscode';
import { bundledModelsUri, readBundledModels, type BundledSample } from '../model/bundledModels';
import { findCompanions } from '../model/modelFolders';
import { defaultModelName, modelUri, type ModelPlaces } from '../model/modelLocation';
import { readSettings } from '../readSettings';
import type { ExplainSource } from '../run/explainSource';
import type { PictureSource } from '../run/pictureSource';

/** Opens something to start with that the model in use was made for: code, a date or a picture. */
export async function openSample(places: ModelPlaces): Promise<ExplainSource | PictureSource> {
  const sample = await sampleOf(places);
  if ('picture' in sample) {
    const picture = vscode.Uri.joinPath(bundledModelsUri(places.extensionUri), sample.picture);
    await vscode.commands.executeCommand('vscode.open', picture, vscode.ViewColumn.One);
    return { picture };
  }
  const document = await vscode.workspace.openTextDocument({ language: sample.language, content: sample.lines.join('\n') });
  await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
  return { document, range: undefined };
}

/** The sample of a bundled model; of another, that of a bundled one that reads the same. */
async function sampleOf(places: ModelPlaces): Promise<BundledSample> {
  const models = await readBundledModels(places.extensionUri);
  let uri: vscode.Uri;
  try {
    uri = modelUri(readSettings().modelPath, places, undefined);
  } catch {
    uri = modelUri('', places, undefined); // the setting leads nowhere: the explanation will say so
  }
  const own = models.find((model) => model.uri.toString() === uri.toString())?.sample;
  if (own !== undefined) return own;
  const { hasTokenizer, hasPreprocessor } = await findCompanions(uri);
  const similar = models.find(({ name, reads }) => (hasPreprocessor && !hasTokenizer ? reads === 'image' : name === defaultModelName))?.sample;
  return similar ?? { language: 'plaintext', lines: ['The cat sat on the mat because the mat was warm.'] };
}
