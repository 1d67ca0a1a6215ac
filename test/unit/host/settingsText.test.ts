import { expect } from 'chai';
import { namesSetting } from '../../../src/host/model/settingsText';

const names = new Set(['attentionExplorer.modelPath', 'attentionExplorer.threads']);
const isNamed = (text: string, inside?: string): boolean => namesSetting(text, names, inside);

describe('A setting in the text of a settings file', () => {
  it('is found among others, whatever its value is', () => {
    for (const text of [
      '{\n  "editor.tabSize": 2,\n  "attentionExplorer.modelPath" : "evil/model.onnx"\n}',
      '{"a":1,"attentionExplorer.modelPath":"x"}',
      '{"a":{"b":[1,{"c":2}]},"attentionExplorer.threads":64,}',
      '/* twice */ {"attentionExplorer.modelPath": "", "attentionExplorer.modelPath": "x"}',
      '{"attentionExplorer.model\\u0050ath": "x"}',
      '{"attentionExplorer": {"other": [], "threads": 64}}',
      '{"[python]": {"a": 1}, "attentionExplorer.threads": nonsense',
    ])
      expect(isNamed(text), text).to.equal(true);
  });

  it('is not found where it is commented out, empty, elsewhere or absent', () => {
    for (const text of [
      '{\n  // "attentionExplorer.modelPath": "x"\n}',
      '{ /* "attentionExplorer.modelPath": "x" */ }',
      '{"attentionExplorer.modelPath": ""}',
      '{"attentionExplorerXmodelPath": "x"}',
      '{"a": "attentionExplorer.modelPath", "b": 1}',
      '{"a": ["attentionExplorer.threads", 2]}',
      '{"a": {"attentionExplorer.threads": 2}}',
      '{"attentionExplorer": {"a": {"threads": 2}}}',
      '"attentionExplorer.threads": 2',
      '}}]{"attentionExplorer.threads" 2}',
      '',
    ])
      expect(isNamed(text), text).to.equal(false);
  });

  it('stands under another property in the file of a workspace', () => {
    expect(isNamed('{"folders": [], "settings": {"attentionExplorer.threads": 2}}', 'settings')).to.equal(true);
    expect(isNamed('{"settings": {"attentionExplorer": {"threads": 2}}}', 'settings')).to.equal(true);
    expect(isNamed('{"attentionExplorer.threads": 2}', 'settings')).to.equal(false);
  });

  it('is looked for in time that grows as the text does', () => {
    const hostile = [
      '"attentionExplorer.modelPath"',
      '"attentionExplorer.modelPath":',
      '"attentionExplorer.modelPath" : /**/ ',
      '{"attentionExplorer":',
      '[',
      '{"a":[',
      '\\"',
      '/*',
      '-',
    ];
    /** The least processor time of three looks, in microseconds: other programs' time is not counted. */
    const timeOf = (text: string): number =>
      Math.min(
        ...[0, 1, 2].map(() => {
          const before = process.cpuUsage();
          isNamed(text);
          return process.cpuUsage(before).user;
        }),
      );
    for (const piece of hostile) {
      const [short, long] = [30_000, 300_000].map((units) =>
        timeOf(`{${piece.repeat(Math.ceil(units / piece.length))}`),
      );
      // Ten times the text takes some ten times the time, and not a hundred; what is below 20 ms is not told apart.
      expect(long, piece).to.be.lessThan(40 * Math.max(short, 20_000));
    }
  });
});
