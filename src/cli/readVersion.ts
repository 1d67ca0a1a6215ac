import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of the package that this program is part of; it stands in the folder above its bundle's. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
