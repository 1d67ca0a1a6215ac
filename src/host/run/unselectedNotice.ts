import type * as vscode from 'vscode';
import type { PanelNotice } from '../../panelProtocol';
import { actionTitle } from '../commands/panelActions';
import { noticeSentence } from '../localize';
import { cellNumber } from './textName';
import type { TextRange } from './textRange';

/** What is said where nothing was selected. */
export function unselectedNotice(document: vscode.TextDocument, around: TextRange | undefined): PanelNotice {
  if (around === undefined)
    return {
      sentence: noticeSentence({
        code: cellNumber(document.uri) === undefined ? 'wholeDocument' : 'wholeCell',
        args: [],
      }),
    };
  const lines = [around.start, around.end].map((offset) => document.positionAt(offset).line + 1);
  return {
    sentence: noticeSentence({ code: 'aroundCaret', args: lines }),
    action: { id: 'explainFromStart', title: actionTitle('explainFromStart') },
  };
}
