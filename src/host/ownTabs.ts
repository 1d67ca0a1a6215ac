import * as vscode from 'vscode';

/** The scheme of the documents that tell about the model in use. */
export const modelDocumentScheme = 'attention-explorer-report';

/** Whether a tab shows no text of the person's: the panel or another web view, or a document about the model, rendered. */
export function isOwnTab(tab: vscode.Tab | undefined): boolean {
  const input = tab?.input;
  return (
    input instanceof vscode.TabInputWebview ||
    (input instanceof vscode.TabInputCustom && input.uri.scheme === modelDocumentScheme)
  );
}
