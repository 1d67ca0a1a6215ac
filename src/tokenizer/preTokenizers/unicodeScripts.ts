import type { NormalizedString } from '../normalizedString';
import type { Emit } from '../splitBehavior';
import { codePointAt, unitLength } from '../unicode/characters';
import { CodePointSet, lazy } from '../unicode/codePointSet';
import { scriptedRuns } from '../unicode/tables';

// Scripts of Unicode 9, the most frequent first.
const scriptNames =
  'Latin Common Han Hiragana Katakana Cyrillic Greek Inherited Arabic Hebrew Hangul Devanagari Thai Adlam Ahom Anatolian_Hieroglyphs Armenian Avestan ' +
  'Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham ' +
  'Cherokee Coptic Cuneiform Cypriot Deseret Duployan Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Gujarati Gurmukhi Hanunoo ' +
  'Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Kayah_Li Kharoshthi Khmer Khojki Khudawadi Lao Lepcha ' +
  'Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Malayalam Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive ' +
  'Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian ' +
  'Old_Permic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang ' +
  'Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham ' +
  'Tai_Viet Takri Tamil Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Ugaritic Vai Warang_Citi Yi';

const scripts = lazy(() =>
  scriptNames.split(' ').map((name) => [name, new RegExp(`^\\p{Script=${name}}`, 'u')] as const),
);
const scripted = lazy(() => new CodePointSet(scriptedRuns));
/** Characters whose script newer versions of Unicode have changed, and kana, which count as Han. */
const exceptions = new Map([
  [0x589, 'Common'],
  [0x61c, 'Common'],
  [0x953, 'Devanagari'],
  [0x954, 'Devanagari'],
  [0x30fc, 'Han'],
]);
const found = new Map<number, string | undefined>(exceptions);

/** Cuts where the script changes; characters without a script (and spaces) stay with what is before them, or are lost at the start. */
export function splitByScript(piece: NormalizedString, emit: Emit): void {
  const { text } = piece;
  let lastScript: string | undefined;
  let start = -1;
  for (let i = 0; i < text.length;) {
    const codePoint = codePointAt(text, i);
    const script = scriptOf(codePoint);
    if (script !== undefined && script !== lastScript) {
      if (start >= 0) emit(piece, start, i);
      start = i;
      lastScript = script;
    }
    i += unitLength(codePoint);
  }
  if (start >= 0) emit(piece, start, text.length);
}

function scriptOf(codePoint: number): string | undefined {
  if (codePoint === 0x20) return undefined;
  if (!found.has(codePoint)) {
    const character = String.fromCodePoint(codePoint);
    const script = scripted().has(codePoint)
      ? scripts().find(([, expression]) => expression.test(character))?.[0]
      : undefined;
    found.set(codePoint, script === 'Hiragana' || script === 'Katakana' ? 'Han' : script);
  }
  return found.get(codePoint);
}
