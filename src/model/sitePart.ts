/** What can be had of an attention beside its weights. */
export const sitePartNames = ['query', 'key', 'scores', 'value', 'norm'] as const;

/** One of {@link sitePartNames}. */
export type SitePart = (typeof sitePartNames)[number];
