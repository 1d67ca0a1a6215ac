/** What people arrange takes less: thirty-two interventions of four thousand heads each are four hundred thousand values. */
export const maxJsonValues = 2 ** 20;
export const maxJsonUnits = 2 ** 23;
export const maxJsonDepth = 16;

/**
 * A value of JSON that nobody reads before it is handed on, or undefined where it is large or nested too deep: whoever copies such a value or writes it
 * down goes down into it, and what a file of a megabyte can nest is more than any stack.
 */
export function smallJson(value: unknown): unknown {
  let [values, units] = [0, 0];
  const isSmall = (each: unknown, depth: number): boolean => {
    if (++values > maxJsonValues || depth > maxJsonDepth) return false;
    if (typeof each === 'string') return (units += each.length) <= maxJsonUnits;
    if (typeof each !== 'object' || each === null) return true;
    if (Array.isArray(each)) return each.every((inner) => isSmall(inner, depth + 1));
    return Object.entries(each).every(
      ([name, inner]) => (units += name.length) <= maxJsonUnits && isSmall(inner, depth + 1),
    );
  };
  return isSmall(value, 0) ? value : undefined;
}
