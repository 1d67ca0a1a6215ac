// Why something cannot be, in clauses that stand within sentences. They are thrown in English, wherever that is; where a sentence is said in a
// person's language, they are known again by their words. What is not listed here (of a model's graph, of the system) stays as it is.
const clauseList = [
  // Files that are written.
  'its folder does not exist',
  'its folder is a file',
  'it is not allowed',
  'nothing can be written there',
  'there is no room left',
  'it would be too large for this disk',
  'it is a folder',
  'it is a pipe, a socket or a disk',
  'it is a pipe, a socket or a device',
  'it takes more than the {0} that are written here',
  // Attention files: the whole.
  'it is neither a zip nor a safetensors file',
  'it is neither a zip nor a safetensors file, or was cut off',
  'it is no zip file, or was cut off',
  'it was cut off while it was read',
  'its list of files is damaged',
  'its header is no JSON',
  'its header is longer than {0} MB',
  'its arrays take more than {0}',
  'its weights take more than {0}',
  'its text has more than {0} characters',
  'it holds more than {0} arrays',
  'it has more than {0} tokens',
  'it has no tokens',
  'it has no tokens of the {0}, which attention.{1} is over',
  'it has no array with a name like "attention.self.0"',
  'it has a layer beyond {0}',
  '"metadata" is no JSON',
  // Attention files: one of their arrays.
  '"{0}" is packed in a way that is not known here',
  '"{0}" is encrypted',
  '"{0}" is not where it should be',
  '"{0}" has another name where its bytes stand',
  '"{0}" ends behind the file',
  '"{0}" cannot be as long as it says',
  '"{0}" is longer than it says',
  '"{0}" is shorter than it says',
  '"{0}" is damaged: its bytes do not have the check sum that stands beside them',
  '"{0}" is damaged',
  '"{0}" is no array of NumPy\'s',
  '"{0}" is no array of numbers or text',
  '"{0}" holds objects of Python: write numbers, or text of a fixed length',
  '"{0}" is stored column by column: write it row by row',
  '"{0}" has the type {1}, which is not known here',
  '"{0}" is described in a way that is not known here',
  '"{0}" does not have as many bytes as its shape ({1}) says',
  '"{0}" has the shape ({1}) in the place of (heads, queries, keys)',
  '"{0}" is over {1} queries and {2} keys, and there are tokens of {3} and {4}',
  '"{0}" holds no floating-point numbers',
  '"{0}" holds no whole numbers',
  '"{0}" holds no texts',
  '"{0}" is no list of texts in JSON',
  '"{0}" is not one text',
  '"{0}" has {1} tokens and {2} {3}',
  '"{0}" has what is no number (NaN or infinite) in head {1}, row {2}',
  '"{0}" is no picture: it takes whole bytes of (height, width, 3), at most {1} million pixels',
  'of "{0}" it has neither tokens nor a text with offsets',
  'of "{0}" the grid does not fit the {1} tokens',
  'token {0} of "{1}" stands outside of its text',
  // Saved explanations.
  'it is no JSON',
  // Comparing.
  'explain a text first',
  'a picture within a text is explained, whose tokens stand for both',
  'two texts of a pair are explained',
  'the text stands in no diff that is open',
  'the other side has nothing in the place of this text',
  'the folder of {0} holds it in one precision only',
  'this is no attention file',
  'the texts have no token in common',
  'one is a picture and the other a text',
  'one is a picture within a text, whose tokens stand for both',
  'one has attention of {0} and the other of {1}',
  'not both have attention of {0}',
  // Figures.
  'no weight of one head is looked at',
] as const;

/** The clauses, for whoever translates them. */
export const clauses: readonly string[] = clauseList;

/** A clause, and what stands in it. */
export interface KnownClause {
  readonly clause: string;
  readonly args: readonly string[];
}

let patterns: readonly (readonly [clause: string, pattern: RegExp])[] | undefined;

/** The clause that a text is; undefined of any other text. What stands in it may be anyone's, and is one bounded line. */
export function clauseIn(text: string): KnownClause | undefined {
  patterns ??= clauses.map((clause) => [clause, patternOf(clause)]);
  for (const [clause, pattern] of patterns) {
    const match = pattern.exec(text);
    if (match !== null) return { clause, args: match.slice(1) };
  }
  return undefined;
}

/** What a clause is with anything in its places, which stand in the order of their numbers. */
function patternOf(clause: string): RegExp {
  const words = clause.split(/\{\d\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${words.join('(.*?)')}$`);
}
