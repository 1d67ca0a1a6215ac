/** The parts of a model that an attention can belong to; `self` where the model has one stack. */
export const components = ['encoder', 'decoder', 'cross', 'self'] as const;
/** One of them. */
export type SiteComponent = (typeof components)[number];
