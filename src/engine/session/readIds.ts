import type { TokenStream } from '../../model/token';

/** What a model is fed of a text: ids, and types where they are not all 0. */
export interface ReadIds {
  readonly ids: readonly number[];
  readonly typeIds?: readonly number[] | undefined;
}

/** The ids and types of a stream's tokens. */
export function inputOf({ tokens }: Pick<TokenStream, 'tokens'>): ReadIds {
  const ids = tokens.map(({ id }) => id);
  return tokens.some(({ typeId }) => typeId !== undefined)
    ? { ids, typeIds: tokens.map(({ typeId = 0 }) => typeId) }
    : { ids };
}
