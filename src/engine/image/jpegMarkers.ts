/** Markers of a JPEG (ITU-T T.81, table B.1) that are asked for by name. */
export const jpegMarker = {
  huffmanTables: 0xc4,
  endOfImage: 0xd9,
  startOfScan: 0xda,
  quantizationTables: 0xdb,
  restartInterval: 0xdd,
  app1: 0xe1,
  app14: 0xee,
} as const;

/** Bytes of what begins like a marker and has no length: a fill byte, a byte of data that looks like one, markers that stand alone; 0 of others. */
export function bytesAlone(marker: number): number {
  if (marker === 0xff) return 1;
  return marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8) ? 2 : 0;
}

/** Whether a marker begins the header of a picture, of whichever kind. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== jpegMarker.huffmanTables && marker !== 0xc8 && marker !== 0xcc;
}
