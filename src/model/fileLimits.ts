import { ExplorerError } from '../base/errors';

/** How much of a kind of file is read, for the code and for the table in SECURITY.md. */
export interface FileLimit {
  /** What the files are, as the table says it. */
  readonly title: string;
  readonly maxBytes: number;
  /** What happens with a larger one, as the table says it. */
  readonly beyond: string;
}

const kilobyte = 2 ** 10;
const megabyte = 2 ** 20;
const gigabyte = 2 ** 30;

/**
 * The most bytes of every kind of file that comes from outside. Who reads one names its kind, and nothing is read of a file that
 * is larger, nor of what is no file (a pipe, a device).
 */
export const fileLimits = {
  // VS Code itself hands out no text that is larger.
  text: { title: 'A text, also from standard input', maxBytes: 50 * megabyte, beyond: 'refused' },
  picture: { title: 'A picture', maxBytes: 64 * megabyte, beyond: 'refused' },
  model: {
    title: 'A model file, where it must be read whole (in a web editor)',
    maxBytes: 4 * gigabyte,
    beyond: 'refused',
  },
  weights: {
    title: 'A weights file beside a model, where it must be read whole',
    maxBytes: 4 * gigabyte,
    beyond: 'refused',
  },
  tokenizer: { title: '`tokenizer.json`', maxBytes: 64 * megabyte, beyond: 'refused' },
  vocabulary: {
    title: '`vocab.txt`, `vocab.json`, `merges.txt`, `tekken.json`, files of SentencePiece and tiktoken',
    maxBytes: 64 * megabyte,
    beyond: 'refused',
  },
  settings: {
    title:
      '`config.json`, `genai_config.json`, `generation_config.json`, `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`, `preprocessor_config.json`, `processor_config.json`',
    maxBytes: 16 * megabyte,
    beyond: 'not read; a notice says so',
  },
  template: {
    title: 'A chat template, in `chat_template.jinja`, `chat_template.json` or `tokenizer_config.json`',
    maxBytes: megabyte,
    beyond: 'not applied; asking for it says why',
  },
  attention: { title: 'An attention file', maxBytes: 2 * gigabyte, beyond: 'refused' },
  explanation: { title: 'A saved explanation', maxBytes: 16 * megabyte, beyond: 'refused' },
  profile: {
    title: 'A file of a profile (`heads.parquet` and the others)',
    maxBytes: 64 * megabyte,
    beyond: 'refused',
  },
  feeds: { title: 'Tensors for `extract --feeds`', maxBytes: 2 * gigabyte, beyond: 'refused' },
} as const satisfies Record<string, FileLimit>;

/** What a file from outside is. */
export type FileKind = keyof typeof fileLimits;

/** A number of bytes as people write it, rounded up so that what is too large never looks as large as what may be. */
export function formatBytes(bytes: number): string {
  const [unit, name] = bytes >= gigabyte ? [gigabyte, 'GB'] : bytes >= megabyte ? [megabyte, 'MB'] : [kilobyte, 'KB'];
  return `${Math.ceil((bytes / unit) * 10) / 10} ${name}`;
}

/** Throws the error that a file of a kind with so many bytes is answered with, where that is more than is read: `imageTooLarge`, `textTooLarge` or `fileTooLarge`. */
export function checkFileLimit(kind: FileKind, name: string, bytes: number): void {
  const { maxBytes } = fileLimits[kind];
  if (bytes <= maxBytes) return;
  switch (kind) {
    case 'picture':
      throw new ExplorerError('imageTooLarge', [name, formatBytes(bytes), formatBytes(maxBytes)]);
    case 'text':
      throw new ExplorerError('textTooLarge', [name, Math.ceil(bytes / megabyte), maxBytes / megabyte]);
    default:
      throw new ExplorerError('fileTooLarge', [name, formatBytes(bytes), formatBytes(maxBytes)]);
  }
}
