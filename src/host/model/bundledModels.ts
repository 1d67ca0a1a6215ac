import * as v from 'valibot';
import * as vscode from 'vscode';
import { components } from '../../base/component';
import type { HeadSelection } from '../../model/head';
import { said } from '../say/said';

const place = v.pipe(v.number(), v.integer(), v.minValue(0));
const sample = v.union([
  v.object({
    language: v.string(),
    lines: v.array(v.string()),
    /** Where the caret stands: after the token that tells most. */ caret: v.optional(
      v.object({ line: place, character: place }),
    ),
  }),
  v.object({ /** A picture, or a folder of pictures, below media/models. */ picture: v.string() }),
]);
/** The head that tells most of what a model does, as its card has it measured. */
const head = v.object({ component: v.picklist(components), layer: place, head: place });
const catalogue = v.record(
  v.string(),
  v.object({
    title: v.string(),
    description: v.string(),
    reads: v.picklist(['text', 'image']),
    head: v.optional(head),
    sample: v.optional(sample),
  }),
);

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

async function readCatalogue(extensionUri: vscode.Uri): Promise<v.InferOutput<typeof catalogue>> {
  return v.parse(
    catalogue,
    JSON.parse(
      new TextDecoder().decode(
        await vscode.workspace.fs.readFile(vscode.Uri.joinPath(bundledModelsUri(extensionUri), 'models.json')),
      ),
    ),
  );
}

/** The heads that bundled models are shown with first, by the addresses of their folders. */
export async function readFirstHeads(
  extensionUri: vscode.Uri,
  pathOf: (uri: vscode.Uri) => string,
): Promise<ReadonlyMap<string, HeadSelection>> {
  const folder = bundledModelsUri(extensionUri);
  const heads = new Map<string, HeadSelection>();
  for (const [name, { head: first }] of Object.entries(await readCatalogue(extensionUri))) {
    if (first !== undefined)
      heads.set(pathOf(vscode.Uri.joinPath(folder, name)), {
        component: first.component,
        heads: [{ layer: first.layer, head: first.head }],
        aggregation: 'mean',
      });
  }
  return heads;
}

/** The bundled models that are there, in the order of media/models/models.json. */
export async function readBundledModels(extensionUri: vscode.Uri): Promise<readonly BundledModel[]> {
  const folder = bundledModelsUri(extensionUri);
  const listed = await readCatalogue(extensionUri);
  const found = await Promise.all(
    Object.entries(listed).map(
      async ([name, { title, description, reads, sample: shown }]): Promise<BundledModel[]> => {
        const uri = vscode.Uri.joinPath(folder, name);
        try {
          // Read, not asked for: where the extension is served over HTTP, only that tells.
          await vscode.workspace.fs.readFile(vscode.Uri.joinPath(uri, 'config.json'));
        } catch {
          return [];
        }
        // The strings of models.json are in the translation bundle: see scripts/l10n.mjs.
        return [{ name, title: said(title), description: said(description), reads, sample: shown, uri }]; // eslint-disable-line no-restricted-syntax -- models.json ships with us
      },
    ),
  );
  return found.flat();
}
