import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KeptProofs, ProofShelf, Proven } from './proofShelf';

/** Proofs of so many models are kept, the latest, in a file of at most so many bytes. */
const mostModels = 64;
const mostBytes = 2 ** 20;

interface Entry {
  readonly key: string;
  readonly sites: Readonly<Record<string, Proven>>;
}

/** Keeps proofs in a file of our own, by the SHA-256 of what they are of. Whatever is wrong with that file, a proof is only made again. */
export function proofShelfIn(file: string): ProofShelf {
  const keyOf = (of: readonly Uint8Array[]): string => {
    const hash = createHash('sha256');
    for (const part of of) hash.update(part);
    return hash.digest('hex');
  };
  const entries = async (): Promise<readonly Entry[]> => {
    try {
      if ((await stat(file)).size > mostBytes) return [];
      const found: unknown = JSON.parse(await readFile(file, 'utf8'));
      return Array.isArray(found) ? found.filter(isEntry).slice(0, mostModels) : [];
    } catch {
      return [];
    }
  };
  return {
    read: async (of) => {
      const key = keyOf(of);
      const found = (await entries()).find((entry) => entry.key === key);
      return new Map(Object.entries(found?.sites ?? {}));
    },
    write: async (of, proofs: KeptProofs) => {
      const key = keyOf(of);
      const others = (await entries()).filter((entry) => entry.key !== key);
      const text = JSON.stringify([{ key, sites: Object.fromEntries(proofs) }, ...others].slice(0, mostModels));
      if (text.length > mostBytes) return;
      try {
        await mkdir(dirname(file), { recursive: true });
        // Another process may read it meanwhile.
        await writeFile(`${file}.${process.pid}`, text);
        await rename(`${file}.${process.pid}`, file);
      } catch {
        // There may be no room, or no right to write.
      }
    },
  };
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null || !('key' in value) || !('sites' in value)) return false;
  const { key, sites } = value;
  return typeof key === 'string' && typeof sites === 'object' && sites !== null && Object.values(sites).every(isProof);
}

function isProof(value: unknown): value is Proven {
  return (
    typeof value === 'object' &&
    value !== null &&
    'difference' in value &&
    typeof value.difference === 'number' &&
    'isExact' in value &&
    typeof value.isExact === 'boolean'
  );
}
