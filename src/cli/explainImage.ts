import { basename, resolve } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { AttentionStore } from '../engine/attentionStore';
import { ImageModel } from '../engine/image/imageModel';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { headLabel, headsOf } from '../model/head';
import { noticeText } from '../model/modelInfo';
import { patchAt, specialPositions } from '../model/patchGrid';
import { strongest, weightsOf } from '../model/pattern';
import type { TokenStream } from '../model/token';
import { deadlines } from './deadlines';
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
export async function explainImage(options: ExplainImageOptions): Promise<TerminalText> {
  const { file, head, isJson } = options;
  const path = resolve(file);
  const bytes = await nodeFileAccess.read(path, 'picture');
  const loaded = await openModel(options, 'shapes-vit', (choosing, access, spec) => ImageModel.load(choosing, access, spec));
  const { picture, notices: preparing } = await loaded.prepare(bytes, basename(path), deadlines);
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
  const sentences = [...preparing, ...notices].map(noticeText);
  const isDerived = component.layers.some(({ method }) => method === 'derived');
  const method = `attention weight${isDerived ? ', in linear layers derived: φ(q)φ(k)ᵀ, normalised' : ''}`;
  const said = chosen === undefined ? `mean of all ${heads.length} heads` : `head ${headLabel(chosen)}`;
  if (isJson) {
    const reads = stream.tokens.map((_, query) => strongest(weightsOf(pattern, query, 'reads'), numSources));
    return jsonText({ model: loaded.info, method, notices: sentences, answers, picture: { width: picture.width, height: picture.height }, grid, tokens: stream.tokens.map(({ piece }) => piece), pattern: said, reads });
  }
  const lines: TerminalText[] = [line`${loaded.info.name} · ${plain(loaded.info.backend)} · ${grid.rows} × ${grid.columns} patches · ${plain(method)}`, ...sentences.map((sentence) => line`${sentence}`)];
  for (const { label, probability } of answers) lines.push(line`It says: ${label}, ${plain(probability.toFixed(2))}`);
  const special = specialPositions(stream);
  const queries = special.length > 0 ? special : [...stream.tokens.keys()];
  lines.push(line``, line`What each ${special.length > 0 ? line`special token` : line`patch`} reads (${plain(said)}):`);
  for (const query of queries) {
    const read = strongest(weightsOf(pattern, query, 'reads'), numSources).map(({ position, weight }) => line`${named(stream, position)}: ${plain(weight.toFixed(3))}`);
    lines.push(line`${named(stream, query)} reads ${joinTerminal(read, ', ')}`);
  }
  return joinTerminal(lines);
}

function named({ tokens, grid }: TokenStream, position: number): TerminalText {
  const patch = grid && patchAt(grid, position);
  return patch === undefined ? line`${plain(tokens[position].piece)}` : line`row ${patch.row + 1}, column ${patch.column + 1}`;
}
