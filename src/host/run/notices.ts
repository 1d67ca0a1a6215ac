import type { Notice } from '../../model/modelInfo';

/**
 * The notices of a run whose text was cut before the engine saw it: the total number of tokens grows by `factor`, and is an
 * estimate then. A factor of one changes nothing.
 */
export function scaleNotices(notices: readonly Notice[], factor: number): readonly Notice[] {
  if (!(factor > 1)) return notices;
  return notices.map((notice): Notice => {
    if (notice.code !== 'cutToContext' && notice.code !== 'cutToLimit' && notice.code !== 'cutToShape') return notice;
    const [kept, total, ...rest] = notice.args;
    const number = Number(String(total).replace(/^≈\s*/, ''));
    return Number.isFinite(number)
      ? { code: notice.code, args: [kept, `≈ ${Math.round(number * factor)}`, ...rest] }
      : notice;
  });
}
