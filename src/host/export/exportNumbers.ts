import type * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { labelText, plain, type PlainText } from '../../base/safeText';
import { formatBytes } from '../../model/fileLimits';
import type { Component, ComponentInfo, HeadSelection } from '../../model/head';
import { joinedComponent, joinedSelection, joinsHeads } from '../../model/methods';
import { noticeText } from '../../model/modelInfo';
import {
  weightBytes,
  writtenLayers,
  type ChosenNumbers,
  type Numbers,
  type Precision,
} from '../../model/numbers/numbers';
import { fileOf, plainFileForm, type FileForm, type NumberFormat } from '../../model/numbers/numbersFile';
import { plainForm } from '../../model/patternForm';
import type { WeightForm } from '../../model/weightForm';
import type { MethodParams, WriteNumbersParams } from '../../protocol';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { askForText, askWhereToSave } from '../say/dialogs';
import { chooseOf, type ListItem } from '../say/lists';
import { showInformation, showProgressOf } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';
import { writeFile, type WriteWhole } from './writeFile';
import { offeredName } from './offeredName';

/** Writes the numbers of the run that is shown to a file that the person names, in a form that they choose. */
export async function exportNumbers(store: ViewStore, writeWhole: WriteWhole | undefined): Promise<void> {
  const { run, view } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const { method, selection } = view;
  const format = await chooseFormat();
  if (format === undefined) return;
  const numbers = await chooseHeads(
    {
      model: run.info.model,
      notices: run.info.notices.map(noticeText),
      streams: run.info.streams,
      method,
      components: componentsOf(run, store),
      heads: undefined,
    },
    joinsHeads(method) ? joinedSelection(selection) : selection,
  );
  const form = numbers && (await chooseForm(numbers, format));
  if (numbers === undefined || form === undefined) return;
  const target = await askWhereToSave({
    title: said('Export Numbers'),
    name: offeredName(
      documentName(run.text.uri),
      `-${method}${format === 'npz' || format === 'safetensors' ? '.attention' : ''}.${format}`,
    ),
    kind: { name: plain(format), extensions: [format] },
    besides: run.text.uri,
  });
  if (target === undefined) return;
  if (!(await writeNumbersFile(run, { target, numbers, form }, writeWhole))) return;
  showInformation(
    form.format === 'csv'
      ? said('Numbers from {0} on were written to {1}.', form.threshold, target.fsPath)
      : said('The numbers were written to {0}.', target.fsPath),
  );
}

/** Numbers of a run, and the file that they are written to. */
interface NumbersToWrite {
  readonly target: vscode.Uri;
  readonly numbers: ChosenNumbers;
  readonly form: FileForm;
  /** By what they are to be looked at where there is no model: what that takes beside them stands in the file, too. */
  readonly lookedAt?: Omit<MethodParams, 'runId'>;
}

/** Writes numbers of a run to a file, with a notification that can cancel it; resolves to whether it was written. Throws `fileNotWritten`, and what reading them throws. */
export async function writeNumbersFile(
  run: ShownRun,
  { target, numbers, form, lookedAt }: NumbersToWrite,
  writeWhole: WriteWhole | undefined,
): Promise<boolean> {
  const ended = new AbortController();
  const work = (report: (done: number) => void): Promise<void> => {
    const progress = { signal: ended.signal, report };
    return writeWhole !== undefined && target.scheme === 'file'
      ? writeWhole(target.fsPath, (path, flags) =>
          writeByEngine(run, { path, flags, numbers, form, lookedAt, target: target.fsPath }, progress),
        )
      : writeByWindow(run, { target, numbers, form, ...(lookedAt === undefined ? {} : { lookedAt }) }, progress);
  };
  try {
    await withProgress(work, ended);
    return true;
  } catch (error) {
    if (!ended.signal.aborted) throw error;
    return false;
  }
}

/** The components whose numbers are written together: of methods that weigh, only the one that is shown, since others may have none. */
export function componentsOf(run: ShownRun, { view: { method, selection } }: ViewStore): readonly ComponentInfo[] {
  const { components } = run.info;
  if (method === 'attention') return components;
  const own = components.filter(({ component }) => component === selection.component);
  return joinsHeads(method) ? own.map(joinedComponent) : own;
}

async function chooseFormat(): Promise<NumberFormat | undefined> {
  const item = (
    format: NumberFormat,
    label: string,
    detail: PlainText,
  ): ListItem & { readonly format: NumberFormat } => ({
    label: labelText(plain(label)),
    detail: labelText(detail),
    format,
  });
  const chosen = await chooseOf(
    [
      item('npz', 'NumPy (.npz)', said('Arrays with tokens, ids and offsets, for numpy.load')),
      item('safetensors', 'safetensors', said('The same arrays, as models are stored')),
      item('csv', 'CSV', said('One line for each number that is large enough, for spreadsheets')),
      item('json', 'JSON', said('Tokens and all numbers as text')),
    ],
    { title: said('Export Numbers'), staysOpen: true, placeholder: said('As what kind of file?') },
  );
  return chosen?.format;
}

async function chooseHeads(
  all: ChosenNumbers,
  { component: name, heads }: HeadSelection,
): Promise<ChosenNumbers | undefined> {
  const item = (label: PlainText, numbers: ChosenNumbers): ListItem & { readonly numbers: ChosenNumbers } => ({
    label: labelText(label),
    description: labelText(plain(formatBytes(weightBytes(writtenLayers(numbers), 'float32')))),
    numbers,
  });
  const components = all.components.filter(({ component }) => component === name);
  const chosen = await chooseOf(
    [
      item(said('All layers'), all),
      item(heads.length === 1 ? said('The head that is shown') : said('The {0} heads that are shown', heads.length), {
        ...all,
        components,
        heads,
      }),
    ],
    { title: said('Export Numbers'), staysOpen: true, placeholder: said('Which heads? Sizes are those in float32') },
  );
  return chosen?.numbers;
}

/** How exact arrays are, and from which size on a number has a line of CSV. */
async function chooseForm(numbers: ChosenNumbers, format: NumberFormat): Promise<FileForm | undefined> {
  if (format === 'json') return { format, ...plainFileForm };
  if (format === 'csv') {
    const written = await askForText({
      title: said('Export Numbers'),
      prompt: said('The size from which on a number has a line; 0 for all of them'),
      placeholder: plain('0.01'),
      value: '0.01',
      check: (text) =>
        text.trim() !== '' && Number(text) >= 0 ? undefined : said('It is a number from 0 on, such as 0.01.'),
    });
    return written === undefined ? undefined : { format, ...plainFileForm, threshold: Number(written) };
  }
  const layers = writtenLayers(numbers);
  const item = (precision: Precision, detail: PlainText): ListItem & { readonly precision: Precision } => ({
    label: labelText(plain(precision)),
    description: labelText(plain(formatBytes(weightBytes(layers, precision)))),
    detail: labelText(detail),
    precision,
  });
  const chosen = await chooseOf(
    [
      item('float32', said('The numbers as they are')),
      item('float16', said('Half as large; each number within a two-thousandth of itself, or 3e-8')),
    ],
    { title: said('Export Numbers'), staysOpen: true, placeholder: said('How exact?') },
  );
  return chosen && { format, ...plainFileForm, precision: chosen.precision };
}

/** How far something is, and what ends it. */
interface Watched {
  readonly signal: AbortSignal;
  readonly report: (done: number) => void;
}

const headsIn = (numbers: ChosenNumbers): number =>
  writtenLayers(numbers).reduce((sum, { heads }) => sum + heads.length, 0);

/** Writes numbers that are read from the engine. */
async function writeByWindow(
  run: ShownRun,
  { target, numbers, form, lookedAt }: NumbersToWrite,
  progress: Watched,
): Promise<void> {
  const beside = lookedAt === undefined ? [] : await run.held.besideNumbers(lookedAt, progress.signal);
  await writeFile(target, fileOf({ ...readingFrom(run, numbers, progress), beside }, form), undefined);
}

/** Has the engine write numbers, which then need not come here. */
async function writeByEngine(
  run: ShownRun,
  wanted: Pick<WriteNumbersParams, 'path' | 'flags' | 'form' | 'lookedAt'> & {
    readonly numbers: ChosenNumbers;
    /** What the file is to be called in the end. */
    readonly target: string;
  },
  { signal, report }: Watched,
): Promise<void> {
  const { path, flags, numbers, form, lookedAt, target } = wanted;
  const { streams: _, ...chosen } = numbers;
  const forms: { component: Component; form: WeightForm }[] = [];
  for (const { component } of numbers.components) {
    const own = await run.held.weightForm(component, { ...plainForm, method: numbers.method });
    if (own !== undefined) forms.push({ component, form: own });
  }
  const count = headsIn(numbers);
  try {
    const onRead = (done: number): void => report(done / count);
    await run.held.writeNumbers({ path, flags, numbers: chosen, form, forms, lookedAt }, onRead, signal);
  } catch (error) {
    throw error instanceof ExplorerError && error.code === 'fileNotWritten'
      ? new ExplorerError('fileNotWritten', [target, error.args[1]])
      : error;
  }
}

/** Numbers that are read from a run as they are written. */
export function readingFrom(run: ShownRun, numbers: ChosenNumbers, { signal, report }: Watched): Numbers {
  const forms = new Map<ComponentInfo['component'], Promise<WeightForm | undefined>>();
  const formOf = (component: ComponentInfo['component']): Promise<WeightForm | undefined> => {
    const known = forms.get(component) ?? run.held.weightForm(component, { ...plainForm, method: numbers.method });
    forms.set(component, known);
    return known;
  };
  const count = headsIn(numbers);
  let done = 0;
  return {
    ...numbers,
    read: async (component, head) => {
      const selection = { component, heads: [head], aggregation: 'mean' } as const;
      const { weights } = await run.held.pattern(selection, await formOf(component), signal);
      signal.throwIfAborted();
      report(++done / count);
      return weights;
    },
  };
}

/** Does something that can be cancelled, with a notification that says how much of it is done. */
export function withProgress(
  work: (report: (done: number) => void) => Promise<void>,
  ended: AbortController,
  title = said('Export Numbers'),
): Promise<void> {
  return new Promise((resolve, reject) => {
    showProgressOf(title, async (tell, token) => {
      const cancelling = token.onCancellationRequested(() => ended.abort());
      let told = 0;
      try {
        await work((done) => {
          const percent = Math.floor(done * 100);
          if (percent === told) return;
          tell({ step: said('Writing'), percent, increment: percent - told });
          told = percent;
        });
        resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      } finally {
        cancelling.dispose();
      }
    });
  });
}
