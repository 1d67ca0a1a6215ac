import { expect } from 'chai';
import {
  checkModelIsHere,
  checkNamesModel,
  limitOf,
  readExplanation,
  readKeptView,
  writeExplanation,
  type Explanation,
} from '../../../src/host/explanations/explanationFile';
import { initialView } from '../../../src/model/viewState';
import { codeOfCall, errorOfCall } from '../../harness/codeOf';

const saved: Explanation = {
  model: { path: '/models/gpt2/model.onnx', name: 'gpt2', sha256: 'ab'.repeat(32) },
  text: 'The cat sat 🐈',
  second: undefined,
  target: 'Le chat',
  isChatMessage: false,
  focus: { start: 4, end: 7 },
  languages: { source: 'en', target: 'fr' },
  continuation: { written: [5, 6], tokens: 0, sampling: { temperature: 0.5, topP: 1, seed: 3 } },
  tokenLimit: 0,
  view: {
    ...initialView,
    selection: { component: 'self', heads: [{ layer: 1, head: 2 }], aggregation: 'mean' },
    scale: 'log',
    method: 'rollout',
    pinned: [{ stream: 0, position: 2 }],
  },
  arrangement: { open: ['effects'], effects: { interventions: [] } },
};

/** The file with something in it changed. */
function changed(change: (file: Record<string, any>) => void): Uint8Array {
  const file = JSON.parse(new TextDecoder().decode(writeExplanation(saved))) as Record<string, any>;
  change(file);
  return new TextEncoder().encode(JSON.stringify(file));
}

describe('a saved explanation', () => {
  it('is read as what was saved', () => {
    expect(readExplanation(writeExplanation(saved), 'x')).to.deep.equal(saved);
    const least = readExplanation(
      changed((file) => {
        for (const name of Object.keys(file))
          if (!['format', 'version', 'model', 'text', 'view'].includes(name)) delete file[name];
        delete file['model'].sha256;
      }),
      'x',
    );
    expect(least).to.deep.include({ text: saved.text, tokenLimit: 0, isChatMessage: false, target: undefined });
  });

  const lies: Readonly<Record<string, (file: Record<string, any>) => void>> = {
    'is another format': (file) => (file['format'] = 'attention-explorer weights'),
    'is of a later version': (file) => (file['version'] = 2),
    'has no text': (file) => (file['text'] = ''),
    'has a text longer than any model reads': (file) => (file['text'] = 'a'.repeat(400_001)),
    'names no model': (file) => (file['model'].path = ''),
    'has a hash that is none': (file) => (file['model'].sha256 = 'beef'),
    'selects beyond its text': (file) => (file['focus'] = { start: 4, end: 70 }),
    'has a view of no head': (file) => (file['view'].selection.heads = []),
    'has a view of more heads than any model has': (file) =>
      (file['view'].selection.heads = Array.from({ length: 5000 }, () => ({ layer: 0, head: 0 }))),
    'has a method that there is not': (file) => (file['view'].method = 'constructor'),
    'pins what is no place': (file) => (file['view'].pinned = [{ stream: 0, position: -1 }]),
    'goes on with what is no token': (file) => (file['continuation'].written = ['rm -rf']),
  };
  for (const [title, lie] of Object.entries(lies))
    it(`is refused with a sentence where it ${title}`, () => {
      const error = errorOfCall(() => readExplanation(changed(lie), 'x.attention-explanation.json'));
      expect(error?.code).to.equal('explanationInvalid');
      expect(error?.sentence).to.match(/^x\.attention-explanation\.json is no saved explanation \(.+\): /);
    });

  it('is refused where it is no JSON, or no UTF-8', () => {
    for (const bytes of [new TextEncoder().encode('{'), Uint8Array.of(0x22, 0xff, 0x22)])
      expect(codeOfCall(() => readExplanation(bytes, 'x'))).to.equal('explanationInvalid');
  });

  it('names no model in a workspace that is not trusted, but those that come with the extension', () => {
    const named = (path: string): Explanation => ({ ...saved, model: { ...saved.model, path } });
    const code = (path: string, isTrusted: boolean): string =>
      codeOfCall(() => checkNamesModel(named(path), 'x', isTrusted));
    expect(code('/models/gpt2/model.onnx', true)).to.equal('none');
    for (const path of ['/models/gpt2', 'model', '../x', '~/x', 'vscode-vfs://x/y', 'bundled:../x', 'bundled:'])
      expect(code(path, false), path).to.equal('explanationUntrusted');
    expect(code('bundled:code-decoder', false)).to.equal('none');
  });

  it('connects to no machine that nothing but the file names', () => {
    const own = { scheme: 'file', authority: '' };
    const code = (
      scheme: string,
      authority: string,
      places = [own],
      hosts: readonly string[] = [],
      path = '//x/y',
    ): string => {
      const named = { ...saved, model: { ...saved.model, path } };
      return codeOfCall(() => checkModelIsHere(named, 'x', { scheme, authority }, { places, hosts }));
    };
    const share = { scheme: 'file', authority: 'NAS' };
    expect(code('file', '')).to.equal('none');
    expect(code('file', 'evil.example')).to.equal('explanationElsewhere');
    expect(code('https', 'evil.example')).to.equal('explanationElsewhere');
    expect(code('vscode-vfs', 'github', [{ scheme: 'vscode-vfs', authority: 'other' }])).to.equal(
      'explanationElsewhere',
    );
    // Beside the file, in the workspace, or where the person allows it.
    expect(code('file', 'nas', [own, share])).to.equal('none');
    expect(code('file', 'nas', [own], ['other', 'Nas'])).to.equal('none');
    expect(code('vscode-vfs', 'github', [{ scheme: 'vscode-vfs', authority: 'github' }])).to.equal('none');
    expect(code('https', 'evil.example', [own], ['evil.example'])).to.equal('explanationElsewhere');
    // In a web editor our own models are served.
    expect(code('https', 'cdn', [own], [], 'bundled:code-decoder')).to.equal('none');
  });

  it('sets no limit that costs more than the person’s own in a workspace that is not trusted', () => {
    const limit = (tokenLimit: number, own: number, isTrusted: boolean): number =>
      limitOf({ ...saved, tokenLimit }, own, isTrusted);
    expect([limit(0, 64, true), limit(128, 64, true)]).to.deep.equal([0, 128]);
    expect([limit(0, 64, false), limit(128, 64, false), limit(32, 64, false), limit(32, 0, false)]).to.deep.equal([
      64, 64, 32, 32,
    ]);
  });

  it('hands on no arrangement that could not be written down again, and opens without it', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const text = new TextDecoder().decode(changed((file) => (file['arrangement'] = 'here')));
    const read = readExplanation(new TextEncoder().encode(text.replace('"here"', deep)), 'x');
    expect(read).to.deep.equal({ ...saved, arrangement: undefined });
    const wide = JSON.stringify(Array.from({ length: 2 ** 20 }, () => 0));
    expect(readExplanation(new TextEncoder().encode(text.replace('"here"', wide)), 'x').arrangement).to.equal(
      undefined,
    );
    expect(
      readExplanation(
        changed((file) => (file['arrangement'] = 'a'.repeat(2 ** 23))),
        'x',
      ).arrangement,
    ).to.have.length(2 ** 23);
  });

  it('gives an attention file a view, where it says one that can be', () => {
    expect(readKeptView({ view: saved.view, arrangement: 1 })).to.deep.equal({ view: saved.view, arrangement: 1 });
    for (const value of [undefined, null, 'view', { view: 7 }, { view: { ...saved.view, threshold: 2 } }])
      expect(readKeptView(value), String(value)).to.equal(undefined);
  });
});
