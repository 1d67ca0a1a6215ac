import { AddedToken } from '../../addedTokens';
import { contentOf, type InitArguments, type TokenValue } from '../initArguments';

/** What LUKE's classes name for entities. */
export const entityTokens = {
  entity_unk_token: '[UNK]',
  entity_pad_token: '[PAD]',
  entity_mask_token: '[MASK]',
  entity_mask2_token: '[MASK2]',
};

/** The settings' extra tokens with LUKE's marks of entities and some more, which then stand for them. */
export function withEntityTokens(init: InitArguments, more: readonly string[]): readonly TokenValue[] {
  const tokens = [...(init.tokens('extra_special_tokens') ?? []), ...(init.tokens('additional_special_tokens') ?? [])];
  const seen = new Set(tokens.map(contentOf));
  for (const token of ['<ent>', '<ent2>']) if (!seen.has(token)) tokens.push(new AddedToken(token));
  for (const token of more) if (!seen.has(token)) tokens.push(new AddedToken(token, { isSpecial: true }));
  init.set('extra_special_tokens', tokens);
  return tokens;
}
