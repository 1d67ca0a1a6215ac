import type * as vscode from 'vscode';
import type { PlainText } from '../../base/safeText';
import { modelOfScene } from '../course/scenes';
import type { Reads } from '../model/modelChoices';
import { settingOf, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { bundledPrefix } from '../model/modelPath';
import { said } from '../say/said';

/** Says that another model than the one in the settings reads an input. */
export function otherModelNotice(kind: Reads, settingName: string, used: string): PlainText {
  return kind === 'image'
    ? said('{0} reads text, so the picture is read by {1}.', settingName, used)
    : said('{0} reads pictures, so the text is read by {1}.', settingName, used);
}

/** A path that leads to a model from every workspace; undefined where the course has chosen it for what it shows, and the person has not. */
export function lastingPath(
  resource: vscode.Uri,
  written: string,
  { uri }: ModelLocation,
  { hasFilePaths }: ModelPlaces,
): string | undefined {
  if (modelOfScene(resource) !== undefined) return undefined;
  return written === '' || written.startsWith(bundledPrefix) ? written : settingOf(uri, hasFilePaths);
}
