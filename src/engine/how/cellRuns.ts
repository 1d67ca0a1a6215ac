import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import type { How } from '../../model/how/how';
import { signatureOf, type ModelInput } from '../../onnx/inputs/inputs';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { pickOutputs, toFloats, type OutputTensor } from '../runtime/feeds';
import type { AttentionSession } from '../session/attentionSession';
import { readProjection, type ProjectionNumbers } from '../session/projectionRun';
import type { FedFile } from '../session/fedInput';
import { mapOf } from './cellMaps';
import type { CellMaps, DrawnCell } from './cellRead';
import { cellInputs, encodeCellInputs } from './cellOutputs';
import { insideLoop, tapCell, type CellTaps } from './cellTaps';
import { CellTensors } from './cellTensors';
import { partsOfSite } from '../../onnx/find/joinedParts';
import type { SiteInParts } from '../session/partsRun';
import { howCell } from './howCell';
import { isInNoPart, PartsCells } from './partsCells';

/** A session of the part of a model up to one attention, with what cells of it need among its outputs. */
interface TappedSession {
  readonly name: string;
  readonly session: AttentionSession;
  readonly taps: CellTaps;
  /** Read when they are first needed. */
  maps: CellMaps | undefined;
}

/** Reads how cells came about: runs the model again up to their attention. Of the last attention that was asked about the session is kept. */
export class CellRuns {
  readonly #sessions: readonly AttentionSession[];
  #held: TappedSession | undefined;
  /** Of attention in parts, which is followed otherwise. */
  #parts: { readonly site: PlacedSite; readonly cells: PartsCells } | undefined;

  /** @param sessions of the model's files. */
  constructor(sessions: readonly AttentionSession[]) {
    this.#sessions = sessions;
  }

  /**
   * How a cell of a run came about, which was fed these inputs. Throws `howNotFollowed`, and what making a session and running it throws.
   */
  async how(drawn: DrawnCell, fed: readonly FedFile[]): Promise<How> {
    const own = this.#sessions.find(({ analysis }) => analysis.sites.some((site) => isPlace(site, drawn)));
    const read = fed.find(({ file }) => file === own?.fileName);
    if (own === undefined || read === undefined) throw notFollowed('its layer is not found in the model');
    const site = siteOf(own.analysis.sites, drawn);
    const values = site === undefined ? undefined : partsOfSite(own.analysis.index, site);
    if (site === undefined || values === undefined) return this.#howInOne(own, drawn, read);
    const inParts = (): Promise<How> => this.#howInParts(own, { site, values }, drawn, read);
    if (site.inParts !== undefined) return inParts();
    // Blocks beside tokens of the model's own are put together, too, though their weights are one matrix.
    return this.#howInOne(own, drawn, read).catch((error: unknown) => {
      if (!(error instanceof ExplorerError) || error.code !== 'howNotFollowed') throw error;
      return inParts().catch((other: unknown) => {
        const isUnfollowed =
          other instanceof ExplorerError && other.code === 'howNotFollowed' && other.args[0] !== isInNoPart;
        throw isUnfollowed ? error : other;
      });
    });
  }

  async #howInOne(own: AttentionSession, drawn: DrawnCell, { inputs, firstPosition = 0 }: FedFile): Promise<How> {
    const { cell, weight, numHeads, token, window } = drawn;
    const tapped = await this.#tapped(own, drawn);
    const { session, taps } = tapped;
    const isOfTarget = (isQuery: boolean): boolean =>
      cell.component === 'decoder' || (cell.component === 'cross' && isQuery);
    const first =
      window === undefined
        ? { query: isOfTarget(true) ? 0 : firstPosition, key: isOfTarget(false) ? 0 : firstPosition }
        : { query: window.query - cell.query, key: window.key - cell.key };
    const position = (name: string, at: number): ModelInput => ({
      name,
      type: 'int64',
      dims: [1],
      data: BigInt64Array.of(BigInt(at)),
    });
    const results = await session.fetch(inputs, [...new Set(taps.outputs.values())], {
      tapInputs: [position(cellInputs.query, first.query + cell.query), position(cellInputs.key, first.key + cell.key)],
    });
    const tensors = new Map(
      [...taps.outputs].flatMap(([what, output]) =>
        [...pickOutputs(results, [output]).values()].map((tensor): readonly [string, OutputTensor] => [
          what,
          taps.loop === undefined ? tensor : ofIteration(tensor, taps.loop, cell.query),
        ]),
      ),
    );
    tapped.maps ??= await mapsOf(own, taps, tensors);
    const numKeys = window?.keys.length ?? drawn.numKeys;
    const facts = { cell, weight, numHeads, numKeys, token, first, keys: window?.keys };
    try {
      const how = howCell(taps, new CellTensors(tensors, { head: cell.head, window }), facts, tapped.maps);
      if (typeof how === 'string') throw notFollowed(how);
      return how;
    } catch (error) {
      if (error instanceof RangeError) throw notFollowed(error.message);
      throw error;
    }
  }

  /** Frees the session. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.session.release();
    const parts = this.#parts;
    this.#parts = undefined;
    await parts?.cells.release();
  }

  async #howInParts(
    own: AttentionSession,
    { site, values }: SiteInParts,
    drawn: DrawnCell,
    { inputs, firstPosition = 0 }: FedFile,
  ): Promise<How> {
    try {
      if (this.#parts?.site !== site) {
        await this.release();
        const cells = await PartsCells.open(own, site, values);
        if (typeof cells === 'string') throw notFollowed(cells);
        this.#parts = { site, cells };
      }
      const how = await this.#parts.cells.how(drawn, inputs, firstPosition);
      if (typeof how === 'string') throw notFollowed(how);
      return how;
    } catch (error) {
      if (error instanceof RangeError) throw notFollowed(error.message);
      throw error;
    }
  }

  async #tapped(own: AttentionSession, drawn: DrawnCell): Promise<TappedSession> {
    const { sites } = own.analysis;
    const at = sites.findIndex((site) => site === siteOf(sites, drawn));
    const { head } = drawn.cell;
    // Heads that are modules of their own have tensors of their own.
    const name = `${own.fileName}/${at}${sites[at].heads === undefined ? '' : `/${head}`}`;
    if (this.#held?.name === name) return this.#held;
    await this.release();
    const { index } = own.analysis;
    const taps = tapCell(index, sites[at], head, signatureOf(index).roles);
    if (typeof taps === 'string') throw notFollowed(taps);
    const session = await own.tapped(taps.sites, {
      taps: { tap: taps.tap, tapInputs: encodeCellInputs() },
      extras: taps.extras,
    });
    return (this.#held = { name, session, taps, maps: undefined });
  }
}

/** What a tensor of a loop's body was in one of its iterations: that of a row, or of a layer. */
function ofIteration(
  tensor: OutputTensor,
  { iteration, isReversed }: NonNullable<CellTaps['loop']>,
  row: number,
): OutputTensor {
  const [numIterations, ...dims] = tensor.dims;
  const size = dims.reduce((product, dim) => product * dim, 1);
  // Rows stand in the order of their positions: an axis that begins with the last iteration does where positions are read from the last one on.
  const at = iteration === 'rows' ? row : isReversed ? numIterations - 1 - iteration : iteration;
  return { ...tensor, dims, data: tensor.data.slice(at * size, (at + 1) * size) };
}

/** The linear maps of a layer that is an iteration of a loop: what its iteration was given as their weights. */
function mapsOfIteration(tensors: ReadonlyMap<string, OutputTensor>, { loop, parts }: CellTaps): CellMaps {
  const of = (what: string): ProjectionNumbers | undefined => {
    const [weight, bias] = [`weight of ${what}`, `inner bias of ${what}`].map((name) => tensors.get(name));
    const data = weight && toFloats(weight);
    if (weight === undefined || data === undefined) return undefined;
    const [numIn, numOut] = weight.dims;
    return { numIn, numOut, weight: data, bias: bias && toFloats(bias) };
  };
  if (loop?.iteration === 'rows') return { projection: insideLoop, maps: { query: undefined, key: undefined } };
  const reason = typeof parts?.projection === 'string' ? parts.projection : 'its weight is not told inside the loop';
  return { projection: of('projection') ?? reason, maps: { query: of('query'), key: of('key') } };
}

async function mapsOf(
  own: AttentionSession,
  taps: CellTaps,
  tensors: ReadonlyMap<string, OutputTensor>,
): Promise<CellMaps> {
  const widthOf = (what: string): number | undefined => tensors.get(what)?.dims.at(-1);
  const { query, key } = taps.origins;
  const read = (side: 'query' | 'key'): Promise<ProjectionNumbers | undefined> =>
    mapOf(own, taps.origins[side].map, [widthOf(`x of ${side}`), widthOf(`made of ${side}`)]);
  if (taps.loop !== undefined) return mapsOfIteration(tensors, taps);
  const ofQuery = await read('query');
  return {
    projection: await projectionOf(own, taps, widthOf('context')),
    // One product may make both.
    maps: { query: ofQuery, key: query.map?.node === key.map?.node ? ofQuery : await read('key') },
  };
}

async function projectionOf(
  own: AttentionSession,
  { parts }: CellTaps,
  numIn: number | undefined,
): Promise<ProjectionNumbers | string> {
  if (parts === undefined) return insideLoop;
  if (numIn === undefined)
    return typeof parts.projection === 'string' ? parts.projection : 'it computes with numbers of 8 bits';
  return readProjection(own.partRuntime, parts, numIn);
}

/** The site that a cell is drawn of: of several within one module, that of its layer. */
function siteOf(sites: readonly PlacedSite[], drawn: DrawnCell): PlacedSite | undefined {
  const found = sites.filter((site) => isPlace(site, drawn));
  return found.find(({ layer }) => layer === drawn.cell.layer) ?? found[0];
}

/** Whether a site is the layer that a cell is drawn in; a picture's stages are components that its model does not name. */
function isPlace({ path, component }: PlacedSite, { path: wanted, cell }: DrawnCell): boolean {
  return plain(path) === wanted && (component === cell.component || cell.component.startsWith('stage'));
}

function notFollowed(reason: string): ExplorerError {
  return new ExplorerError('howNotFollowed', [reason]);
}
