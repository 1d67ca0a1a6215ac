import { unzipSync } from 'fflate';

/** The names of the files in an archive. */
export function listZip(bytes: Uint8Array): string[] {
  const names: string[] = [];
  unzipSync(bytes, {
    filter: ({ name }) => {
      names.push(name);
      return false;
    },
  });
  return names.filter((name) => !name.endsWith('/'));
}

/** A file of an archive, as text. Throws where there is none of that name. */
export function readZipEntry(bytes: Uint8Array, wanted: string): string {
  const found = unzipSync(bytes, { filter: ({ name }) => name === wanted })[wanted];
  if (found === undefined) throw new Error(`The archive holds no ${wanted}.`);
  return new TextDecoder().decode(found);
}
