import { basename, resolve } from 'node:path';
import { ExplorerError, formatSentence } from '../base/errors';
import { AttentionStore } from '../engine/attentionStore';
import { ImageModel } from '../engine/image/imageModel';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { headLabel, headsOf } from '../model/head';
import { noticeSentences } from '../model/modelInfo';
import { patchAt, specialPositions } from '../model/patchGrid';
import { strongest, weightsOf } from '../model/pattern';
import type { TokenStream } from '../model/token';
import { numSources, openModel, type ModelOptions } from './openModel';
import { parseHead } from './parseHead';

/** What `explain` is asked of a picture. */
export interface ExplainImageOptions extends ModelOptions {
  readonly file: string;
}

/** Whether a file is a picture, by its name. */
export function isImageFile(file: string): boolean {
  return /\.(?:png|jpe?g|webp|gif)$/i.test(file);
}

/** What the special tokens of a picture read (the mean of all patches, where there are none), as text for people or, for every token, as JSON. */
export async function explainImage(options: ExplainImageOptions): Promise<string> {
  const { file, head, isJson } = options;
  const path = resolve(file);
  const loaded = await openModel(options, 'shapes-vit', (choosing, access, spec) => ImageModel.load(choosing, access, spec));
  const { picture, notices: preparing } = await loaded.prepare(await nodeFileAccess.read(path), basename(path));
  const { stream, layers, components, notices, answers } = await loaded.run(picture);
  await loaded.release();
  const store = new AttentionStore(Infinity);
  store.add(1, layers);
  const [component] = components;
  const { grid } = stream;
  if (component === undefined || grid === undefined) throw new ExplorerError('checksFailed', [loaded.info.name, 'nothing is left to show']);
  const chosen = parseHead(head, components);
  const heads = headsOf(component).filter((each) => chosen === undefined || headLabel(each) === headLabel(chosen));
  const pattern = await store.pattern({ runId: 1, selection: { component: component.component, heads, aggregation: 'mean' } });
  const sentences = [...preparing, ...notices].map(({ code, args }) => formatSentence(noticeSentences[code], args));
  const isDerived = component.layers.some(({ method }) => method === 'derived');
  const method = `attention weight${isDerived ? ', in linear layers derived: φ(q)φ(k)ᵀ, normalised' : ''}`;
  const said = chosen === undefined ? `mean of all ${heads.length} heads` : `head ${headLabel(chosen)}`;
  if (isJson) {
    const reads = stream.tokens.map((_, query) => strongest(weightsOf(pattern, query, 'reads'), numSources));
    return JSON.stringify({ model: loaded.info, method, notices: sentences, answers, picture: { width: picture.width, height: picture.height }, grid, tokens: stream.tokens.map(({ piece }) => piece), pattern: said, reads });
  }
  const lines = [`${loaded.info.name} · ${loaded.info.backend} · ${grid.rows} × ${grid.columns} patches · ${method}`, ...sentences];
  for (const { label, probability } of answers) lines.push(`It says: ${label}, ${probability.toFixed(2)}`);
  const special = specialPositions(stream);
  const queries = special.length > 0 ? special : [...stream.tokens.keys()];
  lines.push('', `What each ${special.length > 0 ? 'special token' : 'patch'} reads (${said}):`);
  for (const query of queries) lines.push(`${named(stream, query)} reads ${strongest(weightsOf(pattern, query, 'reads'), numSources).map(({ position, weight }) => `${named(stream, position)}: ${weight.toFixed(3)}`).join(', ')}`);
  return lines.join('\n');
}

function named({ tokens, grid }: TokenStream, position: number): string {
  const patch = grid && patchAt(grid, position);
  return patch === undefined ? tokens[position].piece : `row ${patch.row + 1}, column ${patch.column + 1}`;
}
