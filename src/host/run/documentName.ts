import type { Uri } from 'vscode';

/** What a document is called in sentences: the last part of its path. */
export function documentName(uri: Uri): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1) || uri.toString();
}
