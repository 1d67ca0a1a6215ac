import { isInside } from '../engine/isInside';

/** What is compared of an address. */
export interface Address {
  readonly scheme: string;
  readonly path: string;
}

/**
 * Whether an address may lie in one of some folders, as far as addresses tell: by its path alone, since other schemes and
 * authorities name the same file systems, and without regard to upper and lower case, accents and the direction of slashes, since some file systems have none.
 */
export function mayLieIn(folders: readonly Address[], address: Address): boolean {
  return folders.some(
    (folder) => isInside(plain(folder), plain(address)) && (plain(folder) !== '/' || folder.scheme === address.scheme),
  );
}

function plain({ path }: Address): string {
  return `/${path.replaceAll('\\', '/')}`.replace(/\/+/g, '/').normalize('NFC').toLowerCase();
}
