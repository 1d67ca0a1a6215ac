import { ExplorerError } from '../../base/errors';
import { labelText, plain, type PlainText } from '../../base/safeText';
import type { Languages, RunLanguages } from '../../model/modelInfo';
import type { ChosenLanguages } from '../model/chosenLanguages';
import { locateModel, type ModelPlaces } from '../model/modelLocation';
import { readSettings } from '../readSettings';
import { chooseOf, type ListItem } from '../say/lists';
import { said } from '../say/said';
import type { ShownRun } from '../run/shownRun';

/** Asks what the model of a run translates from and into, and remembers it for that model. False where the person gave up. Throws `languagesNotKnown`. */
export async function chooseLanguages(
  run: ShownRun | undefined,
  places: ModelPlaces,
  chosen: ChosenLanguages,
): Promise<boolean> {
  const { languages, model } = run?.info ?? {};
  if (run === undefined || languages === undefined) throw new ExplorerError('languagesNotKnown', [model?.name ?? '']);
  const path = pathOf(run, places);
  const before = chosen.of(path);
  const source =
    languages.isSourceFixed === true
      ? { code: undefined }
      : await choose(said('Language of the Text'), languages, { current: languages.source, named: before?.source });
  if (source === undefined) return false;
  const target = await choose(said('Language of the Target'), languages, {
    current: languages.target,
    named: before?.target,
  });
  if (target === undefined) return false;
  await chosen.choose(path, { source: source.code, target: target.code });
  return true;
}

/** The path of a run's model, as the engine is asked for it. */
function pathOf(run: ShownRun, places: ModelPlaces): string {
  const { uri } = run.text;
  return (run.model ?? locateModel(readSettings(uri), places, uri)).spec.path;
}

/** One of the codes, the one in use first, or what the model's settings say. */
async function choose(
  title: PlainText,
  { codes }: RunLanguages,
  { current, named }: { readonly current: string | undefined; readonly named: Languages['source'] },
): Promise<{ readonly code: string | undefined } | undefined> {
  const item = (code: string): ListItem & { code: string } => ({
    label: labelText(plain(code)),
    code,
    ...(code === current ? { description: labelText(said('in use')) } : {}),
  });
  const own: readonly (ListItem & { code: undefined })[] =
    named === undefined ? [] : [{ label: labelText(said('As the Model’s Settings Say')), code: undefined }];
  return chooseOf<ListItem & { code: string | undefined }>(
    [...(current === undefined ? [] : [item(current)]), ...own, ...codes.filter((code) => code !== current).map(item)],
    { title },
  );
}
