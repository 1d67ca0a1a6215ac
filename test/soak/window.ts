// A run as a window shows it, of a real engine, without a window: bundled with the stand-in for `vscode`.
import type * as vscode from 'vscode';
import type { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import { ShownRun } from '../../src/host/run/shownRun';
import { TrackedText } from '../../src/host/run/trackedText';
import { measuredModel } from './models';
import { TextDocument, Uri } from './vscodeStandIn';

/** Explains a text, and gives what would be shown. */
export async function shownRunOf(supervisor: EngineSupervisor, text: string): Promise<ShownRun> {
  const held = await supervisor.explain(
    { model: { path: measuredModel, backend: 'auto', threads: 1 }, text, tokenLimit: 0 },
    new AbortController().signal,
  );
  const document = new TextDocument(Uri.file('/shown.py'), text) as unknown as vscode.TextDocument; // what is asked of it
  return new ShownRun(held, new TrackedText(document, 0, text), { isWholeDocument: false, notices: [] });
}
