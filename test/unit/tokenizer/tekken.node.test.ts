// Mistral's own format, tekken.json, against Mistral's library: scripts/fixtures/tekken.py.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { codeOfCall } from '../../harness/codeOf';
import { compareFolder, openFolder, type Cases, type FolderCase } from './compareFolder';

interface Fixture {
  readonly texts: readonly string[];
  readonly files: readonly {
    readonly name: string;
    readonly file: string;
    readonly cases: NonNullable<FolderCase['cases']>;
  }[];
}

const { texts, files } = JSON.parse(
  gunzipSync(readFileSync('test/fixtures/tokenizers/tekken.json.gz')).toString('utf8'),
) as Fixture; // as the script writes it

const folderOf = (name: string, cases?: FolderCase['cases']): FolderCase => ({
  kind: 'tekken',
  name,
  files: { 'tekken.json': 'file', 'config.json': 'config' },
  texts: texts.map((_, i) => i),
  ...(cases === undefined ? {} : { cases }),
});
const casesOf = (file: string): Cases => ({
  versions: {},
  texts,
  folders: [],
  blobs: new Map([
    ['file', Buffer.from(file)],
    ['config', Buffer.from('{"model_type":"mistral"}')],
  ]),
});

describe('Mistral’s tekken.json', () => {
  for (const { name, file, cases } of files)
    it(`gives the ids of Mistral's library, and offsets: ${name}`, () => {
      expect(compareFolder(casesOf(file), folderOf(name, cases))).to.deep.equal({ outcome: 'equal', detail: '' });
    });

  it('is refused where it is damaged', () => {
    const changed = (change: (file: Record<string, never>) => void): string => {
      const file = JSON.parse(files[0].file) as Record<string, never>; // any field may be damaged
      change(file);
      return codeOfCall(() => openFolder(casesOf(JSON.stringify(file)), folderOf('damaged')));
    };
    type Any = Record<string, Record<string, unknown>[]> & Record<string, Record<string, unknown>>;
    const damage: readonly ((file: Any) => unknown)[] = [
      (file) => delete (file as Record<string, unknown>)['config'],
      (file) => (file['config']['pattern'] = 7),
      (file) => (file['config']['default_vocab_size'] = 1e6),
      (file) => (file['config']['default_num_special_tokens'] = 3),
      (file) => (file['vocab'][300]['token_bytes'] = file['vocab'][301]['token_bytes']),
      (file) => (file['vocab'][3]['token_bytes'] = 'not base64'),
      (file) => file['vocab'].reverse(),
      (file) => (file['special_tokens'][1]['rank'] = 0),
    ];
    for (const change of damage) expect(changed((file) => change(file as unknown as Any))).to.equal('tokenizerInvalid');
    const bound = (file: Any): unknown => (file['config']['default_num_special_tokens'] = 2 ** 30);
    expect(changed((file) => bound(file as unknown as Any))).to.equal('tokenizerTooCostly');
  });
});
