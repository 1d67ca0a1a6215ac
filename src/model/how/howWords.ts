/** A sentence with its arguments in their places; numbers are rounded to what is read. */
export function fillText(sentence: string, args: readonly (string | number)[]): string {
  return sentence.replaceAll(/\{(\d)\}/g, (_, at: string) => {
    const arg = args[Number(at)];
    return typeof arg === 'number' ? String(Number(arg.toPrecision(6))) : (arg ?? '');
  });
}

/** A formula as one line of text: groups in braces lose them where they hold one word, else they are in brackets. */
export function formulaText(formula: string): string {
  return formula
    .replaceAll(/\{ (\S+) \}/g, '$1')
    .replaceAll('{ ', '(')
    .replaceAll(' }', ')')
    .replaceAll('( ', '(')
    .replaceAll(' )', ')')
    .replaceAll(' ,', ',');
}
