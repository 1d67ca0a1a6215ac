import * as vscode from 'vscode';
import { askForFile } from '../say/dialogs';
import { said } from '../say/said';

/** A picture that is to be explained, before anything of it is read. */
export interface PictureSource {
  readonly picture: vscode.Uri;
  /** Whether nobody is asked for a text that a model reads with it. */
  readonly isQuiet?: boolean;
}

const extensions = ['png', 'jpg', 'jpeg', 'webp', 'gif'];

/** The picture that the person looks at: in the active tab, else in that of another group; undefined where there is none. */
export function activePicture(): vscode.Uri | undefined {
  const { activeTabGroup, all } = vscode.window.tabGroups;
  return [activeTabGroup, ...all].map(({ activeTab }) => pictureOfTab(activeTab)).find((uri) => uri !== undefined);
}

/** Lets the person choose a picture file; `head` says what for. */
export function choosePicture(
  head: Pick<Parameters<typeof askForFile>[0], 'title' | 'button'> = {
    title: said('Explain Attention on Image'),
    button: said('Explain This Picture'),
  },
): Promise<vscode.Uri | undefined> {
  return askForFile({ ...head, kind: { name: said('Pictures'), extensions } });
}

function pictureOfTab(tab: vscode.Tab | undefined): vscode.Uri | undefined {
  const input = tab?.input;
  return input instanceof vscode.TabInputCustom &&
    extensions.includes(input.uri.path.split('.').at(-1)?.toLowerCase() ?? '')
    ? input.uri
    : undefined;
}
