// What the manifest says of the course, in each language: the stations, their texts, and what their buttons open.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../../scripts/lib/paths.mjs';
import { sceneNamed, scenes, stations } from '../../src/host/course/scenes';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string }[];
    readonly walkthroughs: readonly {
      readonly id: string;
      readonly title: string;
      readonly description: string;
      readonly steps: readonly {
        readonly id: string;
        readonly title: string;
        readonly description: string;
        readonly media: { readonly markdown: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { commands, walkthroughs } = (JSON.parse(read('package.json')) as Manifest).contributes; // our own manifest
const course = walkthroughs.find(({ id }) => id === 'course');
const languages = ['package.nls.json', 'package.nls.zh-cn.json'].map(
  (file) => [file, JSON.parse(read(file)) as Readonly<Record<string, string>>] as const, // our own names
);
const keyOf = (name: string): string => name.replaceAll('%', '');

describe('The course of the walkthrough', () => {
  it('has the stations in order, each with its text in both languages, and done when one of its scenes has been seen', () => {
    expect(course?.steps.map(({ id }) => id)).to.deep.equal(stations);
    for (const { id, media, completionEvents } of course?.steps ?? []) {
      expect(media.markdown).to.equal(`media/course/${id}.md`);
      // VS Code looks for the text in its own language beside it, by this name.
      for (const file of [media.markdown, media.markdown.replace(/\.md$/, '.nls.zh-cn.md')])
        expect(existsSync(join(root, file)), file).to.equal(true);
      expect(completionEvents).to.deep.equal([`onContext:attentionExplorer.station.${id}`]);
    }
    expect(read('src/host/course/openScene.ts')).to.contain(
      "'setContext', `attentionExplorer.station.${scene.station}`",
    );
  });

  for (const [file, names] of languages)
    it(`opens each scene with one button, and nothing else: ${file}`, () => {
      const opened = (course?.steps ?? []).flatMap(({ id, title, description }) => {
        expect(names[keyOf(title)], title).to.be.a('string').and.not.equal('');
        const text = names[keyOf(description)];
        const links = [...text.matchAll(/^\[[^\]]+\]\(command:([\w.]+)\?([^)]*)\)$/gm)];
        // The last line leads to the text, for which a walkthrough beside the panel has no room; the line above the buttons asks.
        expect(text).to.match(new RegExp(`\\]\\(command:attentionExplorer\\.readStation\\?%5B%22${id}%22%5D\\)$`));
        expect(text.split('](').length - 1, id).to.equal(links.length + 1);
        expect(text.split('\n')[1], id).to.match(/[?？]$/);
        expect(text.replaceAll(/\(command:[^)]*\)|x1/g, ''), id).to.not.match(/\d/);
        return links.map(([, command, argument]) => {
          expect(command).to.equal('attentionExplorer.openStation');
          const [name, ...others] = JSON.parse(decodeURIComponent(argument)) as unknown[];
          expect(others).to.deep.equal([]);
          expect(sceneNamed(name)?.station, String(name)).to.equal(id);
          return name;
        });
      });
      expect(opened).to.deep.equal(Object.keys(scenes));
      for (const name of [course?.title, course?.description])
        expect(names[keyOf(name ?? '')])
          .to.be.a('string')
          .and.not.equal('');
    });

  it('is opened by a command that has a title in both languages', () => {
    const title = commands.find(({ command }) => command === 'attentionExplorer.learnAttention')?.title ?? '';
    for (const [, names] of languages) expect(names[keyOf(title)]).to.be.a('string').and.not.equal('');
    expect(read('src/host/course/openScene.ts')).to.contain("'attention-explorer.attention-explorer#course'");
  });
});
