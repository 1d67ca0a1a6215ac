import { expect } from 'chai';
import * as vscode from 'vscode';
import { documentSymbols } from '../../src/host/run/documentSymbols';
import { knownDefinitions } from '../../src/host/run/knownDefinitions';
import { TrackedText } from '../../src/host/run/trackedText';
import { closeAll, openText } from './support';

// A language server is whoever answers VS Code's own questions: here two providers of the test's own.
describe('What whoever knows a language says of a text', () => {
  const text = 'before\nsub first\n  tell first\nend\ntell first\n';
  /** The explained part: all but the first line. */
  const start = text.indexOf('sub');
  const part = text.slice(start);
  let editor: vscode.TextEditor;
  let tracked: TrackedText;

  beforeEach(async () => {
    editor = await openText(text);
    tracked = new TrackedText(editor.document, start, part);
  });
  afterEach(async () => {
    tracked.dispose();
    await closeAll();
  });

  it('are the definitions of its names, by offsets in the part that is explained', async () => {
    const { document } = editor;
    const name = document.getText().indexOf('first');
    const range = new vscode.Range(document.positionAt(name), document.positionAt(name + 'first'.length));
    const provider = vscode.languages.registerDefinitionProvider('plaintext', {
      provideDefinition: ({ uri }, position) =>
        document.getText(document.getWordRangeAtPosition(position)) === 'first'
          ? new vscode.Location(uri, range)
          : // Another file's, and what stands before the part, are none of it.
            new vscode.Location(uri, new vscode.Range(0, 0, 0, 6)),
    });
    try {
      const found = [...(await knownDefinitions(tracked))].sort((a, b) => a.at - b.at);
      const definition = [part.indexOf('first'), part.indexOf('first') + 'first'.length];
      expect(found).to.deep.equal([...part.matchAll(/first/g)].map(({ index }) => ({ at: index, definition })));
    } finally {
      provider.dispose();
    }
    expect(await knownDefinitions(tracked), 'nobody is asked who does not answer').to.deep.equal([]);
  });

  it('are its symbols of more than a line, those within others too', async () => {
    const provider = vscode.languages.registerDocumentSymbolProvider('plaintext', {
      provideDocumentSymbols: (document) => {
        const of = (name: string, from: string, to: string): vscode.DocumentSymbol => {
          const range = new vscode.Range(
            document.positionAt(text.indexOf(from)),
            document.positionAt(text.indexOf(to) + to.length),
          );
          return new vscode.DocumentSymbol(name, '', vscode.SymbolKind.Function, range, range);
        };
        const [whole, inner, line] = [of('all', 'before', 'end'), of('first', 'sub', 'end'), of('x', 'tell', 'tell')];
        inner.children.push(line);
        whole.children.push(inner);
        return [whole];
      },
    });
    try {
      const end = part.indexOf('end') + 3;
      expect(await documentSymbols(tracked)).to.deep.equal([
        { start: 0, end, name: 'all' },
        { start: 0, end, name: 'first' },
      ]);
    } finally {
      provider.dispose();
    }
  });
});
