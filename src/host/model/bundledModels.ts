import * as v from 'valibot';
import * as vscode from 'vscode';

const sample = v.union([v.object({ language: v.string(), lines: v.array(v.string()) }), v.object({ /** A picture, or a folder of pictures, below media/models. */ picture: v.string() })]);
const catalogue = v.record(v.string(), v.object({ title: v.string(), description: v.string(), reads: v.picklist(['text', 'image']), sample: v.optional(sample) }));

/** What a bundled model is shown on: a text, or a picture below media/models. */
export type BundledSample = v.InferOutput<typeof sample>;

/** A model that ships with the extension. */
export interface BundledModel {
  readonly name: string;
  /** Localised. */
  readonly title: string;
  /** One localised sentence. */
  readonly description: string;
  readonly reads: 'text' | 'image';
  readonly sample: BundledSample | undefined;
  readonly uri: vscode.Uri;
}

/** The folder of the models that ship with the extension. */
export function bundledModelsUri(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'media', 'models');
}

/** The bundled models that are there, in the order of media/models/models.json. */
export async function readBundledModels(extensionUri: vscode.Uri): Promise<readonly BundledModel[]> {
  const folder = bundledModelsUri(extensionUri);
  const listed = v.parse(catalogue, JSON.parse(new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, 'models.json')))));
  const found = await Promise.all(
    Object.entries(listed).map(async ([name, { title, description, reads, sample: shown }]): Promise<BundledModel[]> => {
      const uri = vscode.Uri.joinPath(folder, name);
      try {
        // Read, not asked for: where the extension is served over HTTP, only that tells.
        await vscode.workspace.fs.readFile(vscode.Uri.joinPath(uri, 'config.json'));
      } catch {
        return [];
      }
      // The strings of models.json are in the translation bundle: see scripts/l10n.mjs.
      return [{ name, title: vscode.l10n.t(title), description: vscode.l10n.t(description), reads, sample: shown, uri }];
    }),
  );
  return found.flat();
}
