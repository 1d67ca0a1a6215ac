// What the manifest offers someone who has just installed the extension, and in the panel.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../../scripts/lib/paths.mjs';

interface Manifest {
  readonly contributes: {
    readonly keybindings: readonly {
      readonly command: string;
      readonly key: string;
      readonly mac: string;
      readonly when: string;
    }[];
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly id: string;
        readonly description: string;
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { keybindings, configuration, walkthroughs } = (JSON.parse(read('package.json')) as Manifest).contributes; // our own manifest
const names = JSON.parse(read('package.nls.json')) as Readonly<Record<string, string>>; // our own names

describe('The first step of the walkthrough', () => {
  const [{ id, description, completionEvents }] = walkthroughs[0].steps;

  it('offers a sample before what needs a text that is open', () => {
    expect(id).to.equal('explain');
    const text = names[description.replaceAll('%', '')];
    expect([...text.matchAll(/\]\(command:attentionExplorer\.(\w+)\)/g)].map(([, command]) => command)).to.deep.equal([
      'explainSample',
      'explainAttention',
    ]);
  });

  it('is done when something has been explained, not when a command was tried', () => {
    expect(completionEvents).to.deep.equal(['onContext:attentionExplorer.hasRun']);
    expect(read('src/host/activateExtension.ts')).to.match(/'setContext',\s*'attentionExplorer\.hasRun',/);
  });
});

describe('The pictures of the readme', () => {
  it('are all that there are for it, and say in words what they show', () => {
    const shown = [...read('README.md').matchAll(/!\[([^\]]*)\]\(media\/readme\/([^)]+)\)/g)];
    for (const [, words] of shown) expect(words.length, words).to.be.greaterThan(40);
    expect(shown.map(([, , file]) => file).sort()).to.deep.equal(readdirSync(join(root, 'media/readme')).sort());
  });
});

describe('The keys of Explain Attention', () => {
  it('are the same in an editor and in the panel, where they explain anew what it shows', () => {
    const [viewType] = /(?<=panelViewType = ')[\w.]+/.exec(read('src/host/panel/explorerPanel.ts')) ?? [];
    expect(viewType).to.be.a('string');
    const keys = { key: 'ctrl+k ctrl+;', mac: 'cmd+k cmd+;' };
    expect(keybindings).to.deep.equal([
      { command: 'attentionExplorer.explainAttention', ...keys, when: 'editorTextFocus' },
      { command: 'attentionExplorer.explainAgain', ...keys, when: `activeWebviewPanelId == ${viewType}` },
    ]);
  });
});

describe('The readme in Chinese', () => {
  const [english, chinese] = ['README.md', 'README.zh-CN.md'].map(read);

  it('has the parts, pictures and programs of the English one', () => {
    for (const part of [/^#+ /gm, /!\[[^\]]*\]\(([^)]*)\)/g]) {
      const [there, here] = [english, chinese].map((text) =>
        [...text.matchAll(part)].map(([all, path]) => path ?? all),
      );
      expect(here).to.deep.equal(there);
    }
    const programs = [...chinese.matchAll(/^```[^]*?^```/gm)].map(([text]) => text);
    expect(programs).to.not.deep.equal([]);
    for (const program of programs) expect(english).to.include(program);
  });

  it('names every setting, and every method of the English one', () => {
    for (const setting of Object.keys(configuration.properties)) expect(chinese).to.include(`\`${setting}\``);
    const methods = [
      ...english
        .split('`--method` says', 2)[1]
        .split('\n\n', 2)[1]
        .matchAll(/^\| `(\w+)` \|/gm),
    ].map(([, name]) => name);
    expect(methods).to.include('rollout');
    for (const name of methods) expect(chinese).to.include(`| \`${name}\` |`);
  });
});
