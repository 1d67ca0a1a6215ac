import * as vscode from 'vscode';
import { initialView, type ViewState } from '../../model/viewState';
import type { ExplorerPanels } from '../panel/explorerPanels';
import type { ExplainController, SourceFinder } from '../run/explainController';
import { openDocument } from '../run/explainSource';
import { sampleScheme, sceneNamed, scenePath, stationNamed, stationPath, stations, type Scene } from './scenes';

/** Opens the course, a walkthrough. */
export async function openCourse(): Promise<void> {
  await vscode.commands.executeCommand(
    'workbench.action.openWalkthrough',
    'attention-explorer.attention-explorer#course',
    false,
  );
}

/** Shows a scene of the course, by its name: its model reads its text or picture, with its head and its view. Any other name opens the course. */
export async function openScene(name: unknown, controller: ExplainController, panels: ExplorerPanels): Promise<void> {
  const scene = sceneNamed(name);
  if (scene === undefined) return openCourse();
  const run = await controller.explain(sourceOf(String(name), scene), () => viewOf(scene));
  if (run === undefined) return;
  panels.arrange({ open: scene.open });
  await vscode.commands.executeCommand('setContext', `attentionExplorer.station.${scene.station}`, true);
}

/** Opens the text of a station in a tab: a walkthrough beside the panel mostly has no room for it. Any other name opens the course. */
export async function readStation(name: unknown): Promise<void> {
  const station = stationNamed(name);
  if (station === undefined) return openCourse();
  const uri = vscode.Uri.from({ scheme: sampleScheme, path: stationPath(station) });
  try {
    await vscode.commands.executeCommand('markdown.showPreview', uri);
  } catch {
    await vscode.window.showTextDocument(uri); // the built-in Markdown support can be turned off
  }
}

/** The text of the station at a path among the samples, in the window's language where there is one, as VS Code finds it for a walkthrough; undefined where none stands there. */
export async function stationText(extensionUri: vscode.Uri, path: string): Promise<Uint8Array | undefined> {
  const station = stations.find((each) => stationPath(each) === path);
  if (station === undefined) return undefined;
  const read = (ending: string): Thenable<Uint8Array> =>
    vscode.workspace.fs.readFile(vscode.Uri.joinPath(extensionUri, 'media', 'course', `${station}${ending}`));
  if (vscode.env.language !== 'zh-cn') return read('.md');
  return read('.nls.zh-cn.md');
}

/** What a scene reads. No editor shows it: the text of the course stays where it is. */
function sourceOf(name: string, scene: Scene): SourceFinder {
  const uri = vscode.Uri.from({ scheme: sampleScheme, path: scenePath(name, scene) });
  return scene.extension === 'png'
    ? () => ({ picture: uri })
    : async () => ({ document: await openDocument(uri), range: undefined, around: 'start', isSample: true });
}

function viewOf({ component, layer, head, pinned, extension }: Scene): ViewState {
  return {
    ...initialView,
    selection: { component, heads: [{ layer, head }], aggregation: 'mean' },
    scale: extension === 'png' ? 'row' : 'absolute',
    pinned: pinned === undefined ? [] : [pinned],
  };
}
