import { ReusedArrays } from '../runtime/reusedArrays';
import { ExplorerError } from '../../base/errors';
import type { ProfileFile } from '../../model/profile/headProfile';
import { leftOutOf, type LeftOut } from '../../model/profile/leftOut';
import { ProfileFold } from '../../model/profile/profileFold';
import { textKey } from '../../model/profile/textRecord';
import type { ProfiledAs, TextToProfile } from '../../model/profile/textToProfile';
import { grammarOf } from '../syntax/grammars';
import type { CodeParser } from '../syntax/parseCode';
import { WeightKernel } from '../runtime/weightKernel';
import { patternSummer, type PatternSummer } from './patternSums';
import { profileTables, type FileRow } from './profileTables';
import { readText, type PartRead, type ProfiledModel } from './readText';

/** What is the text's own fault. */
export const refusals: readonly string[] = [
  'noTokens',
  'tokenizerTooCostly',
  'tokenizerMismatch',
  'checksFailed',
  'emptyText',
];

/** How texts are read. */
interface ProfiledTextsOptions {
  readonly parser: CodeParser;
  /** SHA-256 of bytes that come one after the other, in hexadecimal digits. */
  readonly sha256: (blocks: Iterable<Uint8Array<ArrayBuffer>>) => Promise<string>;
  /** The most tokens of a chunk. */
  readonly length: number;
}

/** A profile that grows text by text, in memory: sums alone are kept of what was read. */
export class ProfiledTexts {
  readonly #options: ProfiledTextsOptions;
  readonly #fold = new ProfileFold();
  readonly #rows: FileRow[] = [];
  readonly #keys = new Set<string>();
  readonly #arrays: ReusedArrays;
  readonly #summer: PatternSummer;

  constructor(options: ProfiledTextsOptions) {
    this.#options = options;
    const kernel = WeightKernel.create();
    this.#arrays = new ReusedArrays(kernel);
    this.#summer = patternSummer(kernel);
  }

  /** Reads one more text, of which nothing counts unless all of it was read. Throws what is no fault of the text. */
  async take(
    model: ProfiledModel,
    { file, language, bytes }: TextToProfile,
    onRead?: (read: PartRead) => void,
  ): Promise<ProfiledAs> {
    const { parser, sha256, length } = this.#options;
    const leave = (status: LeftOut, hash: string | null, reason: string | null = null): ProfiledAs => {
      this.#rows.push({ file, hash, language: null, status, reason });
      return { status, numTokens: 0 };
    };
    const leftOut = leftOutOf(file, bytes);
    if (leftOut !== undefined) return leave(leftOut, null);
    const hash = await sha256([Uint8Array.from(bytes)]);
    const grammar = grammarOf(language);
    const key = textKey({ hash, language: grammar ?? '' });
    if (this.#keys.has(key)) return leave('duplicate', hash);
    const own = { parser, arrays: this.#arrays, summer: this.#summer };
    const asked = { ...own, grammar, length, overlapLines: 0, withTexts: false, onRead };
    try {
      const { numTokens, chunks, components } = await readText(model, new TextDecoder().decode(bytes), asked);
      this.#fold.add({ hash, language: grammar ?? '', chunks, components });
      this.#keys.add(key);
      this.#rows.push({ file, hash, language: grammar ?? null, status: 'read', reason: null });
      return { status: 'read', numTokens };
    } catch (error) {
      if (!(error instanceof ExplorerError) || !refusals.includes(error.code)) throw error;
      return leave('refused', hash, error.sentence);
    }
  }

  /** Notes a text that could not be read. */
  leaveOut(file: string, status: 'unreadable' | 'tooLarge'): void {
    this.#rows.push({ file, hash: null, language: null, status, reason: null });
  }

  /** The files of the profile as it is now. */
  files(model: { readonly name: string; readonly hash: string; readonly backend: string }): readonly ProfileFile[] {
    const { length } = this.#options;
    return profileTables(this.#fold, this.#rows, {
      ...{ format: 1, model: model.name, modelHash: model.hash, backend: model.backend },
      ...{ length, overlapLines: 0, texts: false },
    }).files;
  }
}
