import type { JSX } from 'preact';

/** Words of a formula that are names of functions. */
const functions = new Set(['exp', 'tanh', 'max', 'mean', 'var']);

/** One word of a formula: `q_id` has what stands behind the line below it. */
function Word({ word }: { word: string }): JSX.Element {
  const [base, below] = word.split('_');
  const isName = /^\p{L}+$/u.test(base) && base !== 'Σ';
  const main = isName ? <mi mathvariant={functions.has(base) ? 'normal' : undefined}>{base}</mi> : <mo>{base}</mo>;
  if (below === undefined || below === '') return /^\d+$/.test(base) ? <mn>{base}</mn> : main;
  // Letters of indices stand for themselves, side by side; a word of several would be set upright.
  const index = (
    <mrow>
      {(below.length > 2 ? [below] : [...below]).map((letter, i) => (
        <mi key={i}>{letter}</mi>
      ))}
    </mrow>
  );
  return base === 'Σ' || base === 'max' ? (
    <munder>
      {main}
      {index}
    </munder>
  ) : (
    <msub>
      {main}
      {index}
    </msub>
  );
}

/** The words up to a closing brace, as a row; `{ a } ÷ { b }` is a fraction. */
function row(words: string[]): JSX.Element[] {
  const parts: JSX.Element[] = [];
  for (let word = words.shift(); word !== undefined && word !== '}'; word = words.shift()) {
    if (word !== '{') {
      parts.push(<Word key={parts.length} word={word} />);
      continue;
    }
    const above = row(words);
    if (words[0] !== '÷' || words[1] !== '{') {
      parts.push(<mrow key={parts.length}>{above}</mrow>);
      continue;
    }
    words.splice(0, 2);
    parts.push(
      <mfrac key={parts.length}>
        <mrow>{above}</mrow>
        <mrow>{row(words)}</mrow>
      </mfrac>,
    );
  }
  return parts;
}

/** A formula of a step, typeset by the browser (MathML). */
export function Formula({ formula }: { formula: string }): JSX.Element {
  return (
    <math class="formula" display="block">
      <mrow>{row(formula.split(' '))}</mrow>
    </math>
  );
}
