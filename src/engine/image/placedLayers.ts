import type { Component } from '../../model/head';
import type { PatchGrid, TokenStream } from '../../model/token';
import { ownToken } from '../../onnx/rewrite/positionNodes';
import type { LayerWeights } from '../session/attentionSession';
import type { Streams } from '../session/layerInfo';
import { placeWindows, type TokenSide } from '../session/placedWindows';
import { WindowedLayer, type WindowedWeights } from '../weights/windowedLayer';
import type { SitePlaces } from '../weights/windowPlaces';
import { imageStream } from './imageTokens';
import type { PixelSize } from './raster';

/** Layers over the patches that their queries and keys really are. */
export interface PlacedLayers {
  readonly layers: readonly LayerWeights[];
  /** One for each grid. */
  readonly streams: readonly TokenStream[];
  readonly streamsOf: (component: Component) => Streams;
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** The largest share of a patch's attention that padding beside the grid has. */
  readonly paddingShare: number;
}

/** The tokens of one side of a layer, with their grid. */
interface TokenGrid extends TokenSide {
  readonly grid: PatchGrid;
}

/** Puts the windows of each layer together into patterns over its own grids; layers over one pair of grids are one stage, where there are several. */
export function placeLayers(
  layers: readonly LayerWeights[],
  placesOf: (layer: LayerWeights) => SitePlaces | string,
  picture: PixelSize,
  config: Readonly<Record<string, unknown>>,
): PlacedLayers {
  const streams: TokenStream[] = [];
  const names = new Map<string, number>();
  const streamOf = ({ grid, numTokens }: TokenGrid): number => {
    const name = JSON.stringify([grid, numTokens]);
    const known = names.get(name);
    if (known !== undefined) return known;
    names.set(name, streams.length);
    return streams.push(imageStream(grid, numTokens, config)) - 1;
  };
  const placed: {
    readonly layer: LayerWeights;
    readonly windowed: WindowedWeights | undefined;
    readonly queryStream: number;
    readonly keyStream: number;
  }[] = [];
  const failed: { path: string; reason: string }[] = [];
  let paddingShare = 0;
  for (const layer of layers) {
    const places = placesOf(layer);
    const made =
      typeof places === 'string' ? places : placeWindows(layer, places, (windows) => gridOf(windows, picture));
    if (typeof made === 'string') failed.push({ path: layer.path, reason: made });
    else {
      placed.push({
        layer: made.layer,
        windowed: made.windowed,
        queryStream: streamOf(made.queries),
        keyStream: streamOf(made.keys),
      });
      paddingShare = Math.max(paddingShare, made.layer.paddingShare ?? 0);
    }
  }
  const pairs = [...new Set(placed.map(({ queryStream, keyStream }) => `${queryStream} ${keyStream}`))];
  // The names of encoder and decoder stay where each has one pair.
  const isNamed =
    pairs.length === 1 ||
    (new Set(placed.map(({ layer }) => layer.component)).size > 1 &&
      placed.every(({ layer, queryStream, keyStream }) =>
        placed.every(
          (other) =>
            other.layer.component !== layer.component ||
            (other.queryStream === queryStream && other.keyStream === keyStream),
        ),
      ));
  const byComponent = new Map<Component, Streams>();
  const named = placed.map(({ layer, windowed, queryStream, keyStream }): LayerWeights => {
    const component: Component = isNamed ? layer.component : `stage${pairs.indexOf(`${queryStream} ${keyStream}`) + 1}`;
    byComponent.set(component, { queryStream, keyStream });
    return {
      ...layer,
      component,
      ...(windowed === undefined ? {} : { inParts: new WindowedLayer(component, windowed) }),
    };
  });
  return {
    layers: named,
    streams,
    streamsOf: (component) => byComponent.get(component) ?? { queryStream: 0, keyStream: 0 },
    failed,
    paddingShare,
  };
}

/** The regular grid that places are the corners of; otherwise, in a clause, why they are none. */
export function gridOf(windows: readonly Float32Array[], { width, height }: PixelSize): TokenGrid | string {
  const places = new Set<number>();
  for (const window of windows) for (const place of window) if (place > 0 && place !== ownToken) places.add(place);
  const own = windows.map((window) => window.filter((place) => place === ownToken).length);
  if (windows.length > 1 && own.some((count) => count > 0)) return 'its windows have tokens of the model’s own';
  // Queries that the model has learned stand for no place.
  if (places.size === 0 && windows.length === 1 && own[0] === windows[0].length)
    return {
      grid: { rows: 0, columns: 0, first: 0, patchWidth: width, patchHeight: height },
      first: 0,
      numPlaced: 0,
      numTokens: own[0],
      positionOf: new Map(),
    };
  if (places.size === 0) return 'it is over no patches of the picture';
  const sorted = [...places].sort((a, b) => a - b);
  const down = stepsOf(
    sorted.map((place) => Math.floor((place - 1) / width)),
    height,
  );
  const across = stepsOf(
    sorted.map((place) => (place - 1) % width),
    width,
  );
  if (down === undefined || across === undefined || down.count * across.count !== sorted.length)
    return 'its patches are not those of a regular grid';
  const [numOwn] = own;
  const first =
    windows.length === 1
      ? Math.min(
          numOwn,
          windows[0].findIndex((place) => place > 0 && place !== ownToken),
        )
      : 0;
  const positionOf = new Map(sorted.map((place, i) => [place, first + i]));
  return {
    grid: { rows: down.count, columns: across.count, first, patchWidth: across.step, patchHeight: down.step },
    first,
    numPlaced: sorted.length,
    numTokens: sorted.length + numOwn,
    positionOf,
  };
}

/** How many even steps coordinates go, each within its step of a side's length; undefined where they are not even. */
function stepsOf(
  coordinates: readonly number[],
  length: number,
): { readonly count: number; readonly step: number } | undefined {
  const each = [...new Set(coordinates)].sort((a, b) => a - b);
  const step = each.length === 1 ? length : each[1] - each[0];
  return each.every((coordinate, i) => Math.floor(coordinate / step) === i && coordinate - each[0] === i * step)
    ? { count: each.length, step }
    : undefined;
}
