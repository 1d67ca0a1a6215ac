import * as vscode from 'vscode';
import { bundledModelsUri, readBundledModels, type BundledSample } from '../model/bundledModels';
import { findCompanions } from '../model/modelFolders';
import { defaultModelName, modelUri, type ModelPlaces } from '../model/modelLocation';
import { readSettings } from '../readSettings';
import type { ExplainSource } from '../run/explainSource';
import type { PictureSource } from '../run/pictureSource';
import { stationText } from '../course/openScene';
import { sampleScheme, sceneAt } from '../course/scenes';
import { samplePath, type SampleText } from './sampleFiles';

/** The sample of a model that comes without one, and reads text. */
const anyText = { language: 'plaintext', lines: ['The cat sat on the mat because the mat was warm.'] };
const anyModel = 'any';

/** Opens something to start with that the model in use was made for: code, a date or a picture. */
export async function openSample(places: ModelPlaces): Promise<ExplainSource | PictureSource> {
  const { model, sample } = await sampleInUse(places);
  if ('picture' in sample) {
    const picture = vscode.Uri.joinPath(bundledModelsUri(places.extensionUri), sample.picture);
    await vscode.commands.executeCommand('vscode.open', picture, vscode.ViewColumn.One);
    return { picture };
  }
  const document = await vscode.workspace.openTextDocument(
    vscode.Uri.from({ scheme: sampleScheme, path: samplePath(model, sample) }),
  );
  const caret = sample.caret && new vscode.Position(sample.caret.line, sample.caret.character);
  await vscode.window.showTextDocument(document, {
    viewColumn: vscode.ViewColumn.One,
    ...(caret === undefined ? {} : { selection: new vscode.Range(caret, caret) }),
  });
  return { document, range: undefined, isSample: true };
}

/** What stands at a path among the samples: the text that a bundled model is shown on, or what a station of the course shows; undefined where nothing does. */
export async function sampleFile(extensionUri: vscode.Uri, path: string): Promise<Uint8Array | undefined> {
  const encode = ({ lines }: SampleText): Uint8Array => new TextEncoder().encode(lines.join('\n'));
  const sampleOf = async (model: string): Promise<BundledSample | undefined> =>
    (await readBundledModels(extensionUri)).find(({ name }) => name === model)?.sample;
  const text = await stationText(extensionUri, path);
  if (text !== undefined) return text;
  const { scene } = sceneAt(path) ?? {};
  if (scene?.text !== undefined) return new TextEncoder().encode(scene.text);
  const [, folder = ''] = path.split('/');
  const sample =
    scene !== undefined ? await sampleOf(scene.model) : folder === anyModel ? anyText : await sampleOf(folder);
  if (sample === undefined) return undefined;
  if (!('picture' in sample))
    return scene !== undefined || samplePath(folder, sample) === path ? encode(sample) : undefined;
  return scene && vscode.workspace.fs.readFile(vscode.Uri.joinPath(bundledModelsUri(extensionUri), sample.picture));
}

/** The sample of a bundled model; of another, that of a bundled one that reads the same. */
async function sampleInUse(places: ModelPlaces): Promise<{ readonly model: string; readonly sample: BundledSample }> {
  const models = await readBundledModels(places.extensionUri);
  let uri: vscode.Uri;
  try {
    uri = modelUri(readSettings().modelPath, places, undefined);
  } catch {
    uri = modelUri('', places, undefined); // the setting leads nowhere: the explanation will say so
  }
  const own = models.find((model) => model.uri.toString() === uri.toString());
  const { hasTokenizer, hasPreprocessor } =
    own === undefined ? await findCompanions(uri) : { hasTokenizer: false, hasPreprocessor: false };
  const shown =
    own?.sample !== undefined
      ? own
      : models.find(({ name, reads }) =>
          hasPreprocessor && !hasTokenizer ? reads === 'image' : name === defaultModelName,
        );
  return shown?.sample === undefined
    ? { model: anyModel, sample: anyText }
    : { model: shown.name, sample: shown.sample };
}
