import * as l10n from '@vscode/l10n';
import { clauseIn } from '../base/clauses';
import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { openLocalAttention } from '../engine/serve/attentionFileEngine';
import { HeldRun } from '../host/engine/heldRun';
import { formedRequests } from '../host/panel/formedRequests';
import {
  checkChangeView,
  checkEffectParams,
  checkHeadEffectsParams,
  checkHeadTableParams,
  checkIntervenedParams,
  checkHowParams,
  checkPredictParams,
  checkRandomParams,
  checkWritesParams,
} from '../host/panel/panelMessages';
import { normalizeSelection } from '../model/head';
import { noticeSentences } from '../model/modelInfo';
import { initialView, type ViewState } from '../model/viewState';
import type { PanelApi, PanelAppearance, PanelEvents, PanelIntents } from '../panelProtocol';
import type { Channel } from '../rpc/channel';
import { openConnection } from '../rpc/connection';
import { maxOutputUnpackedBytes } from './readOutput';

/** What stands behind the panel's page in a cell's output. */
export interface OutputHost {
  /** Says how the page is to look now. */
  dress(appearance: PanelAppearance): void;
  dispose(): void;
}

/**
 * Serves a panel's page from the bytes of an attention file, as the window does from an engine, but in the notebook's own page and without a
 * model. Throws `attentionFileInvalid`.
 */
export function serveOutput(
  bytes: Uint8Array,
  channel: Channel,
  { appearance: first, onPainted }: { readonly appearance: PanelAppearance; readonly onPainted: () => void },
): OutputHost {
  const name = l10n.t('This output');
  const { info, remote } = openLocalAttention({ bytes, name, mostBytes: maxOutputUnpackedBytes });
  const held = new HeldRun({ remote, isAlive: true, on: () => ({ dispose: () => {} }) }, info, { windowRunId: 1 });
  let appearance = first;
  let view: ViewState = { ...initialView, selection: normalizeSelection(initialView.selection, info.components) };
  const run = () => held.info;
  const notCompared = (): never => {
    throw new ExplorerError('noModelHere', [name]);
  };
  const connection = openConnection<PanelApi, object, PanelEvents, PanelIntents>(channel, [], {
    ...formedRequests(() => held, run),
    headTable: (params, signal) => held.headTable(checkHeadTableParams(params, run()), signal),
    picture: (_params, signal) => held.picture(signal),
    // These are refused, as there is no model.
    measureRandom: (params, signal) => held.measureRandom(checkRandomParams(params, run()), signal),
    how: (params, signal) => held.how(checkHowParams(params, run()).cell, signal),
    predict: (params, signal) => held.predictions.predict(checkPredictParams(params, run()).mask, signal),
    effect: (params, signal) => held.effect(checkEffectParams(params, run()), signal),
    headEffects: (params, signal) => held.headEffects(checkHeadEffectsParams(params, run()), () => {}, signal),
    intervene: (params, signal) => held.intervene(checkIntervenedParams(params, run()), signal),
    writes: (params, signal) => held.writes(checkWritesParams(params, run()), signal),
    compare: notCompared,
    predictOther: notCompared,
    profile: () => null,
  });
  connection.on('ready', () => {
    connection.fire('appearance', appearance);
    connection.fire('status', { kind: 'ready' });
    connection.fire('run', {
      info: { ...info, notices: [] },
      documentName: plain(name),
      isOutput: true,
      startLine: 0,
      startCharacter: 0,
      notices: info.notices.map(({ code, args }) => ({ sentence: sentenceOf(noticeSentences[code], args) })),
    });
    connection.fire('view', { view, sequence: 0 });
  });
  let isPainted = false;
  connection.on('painted', () => {
    if (!isPainted) onPainted();
    isPainted = true;
  });
  connection.on('changeView', (value) => {
    const { view: change, sequence } = checkChangeView(value, run());
    view = { ...view, ...change };
    connection.fire('view', { view, sequence });
  });
  return {
    dress: (next) => {
      appearance = next;
      connection.fire('appearance', next);
    },
    dispose: () => {
      held.release();
      connection.dispose();
    },
  };
}

/** A sentence of our tables in the language of the page, its arguments made fit to be shown. */
export function sentenceOf(sentence: string, args: readonly (string | number)[]): PlainText {
  return plain(l10n.t(sentence, ...args.map((arg) => (typeof arg === 'number' ? arg : clauseOf(plain(arg))))), 2000);
}

/** A text in the language of the page, where it is a clause of our tables. */
function clauseOf(text: string): string {
  const known = clauseIn(text);
  return known === undefined ? text : l10n.t(known.clause, ...known.args);
}
