import { JinjaError } from '../../src/engine/jinja/jinjaError';
import { JinjaTemplate } from '../../src/engine/jinja/template';

/** What scripts/fixtures/chatTemplates.py makes. */
export interface ChatTemplateFixture {
  readonly transformers: string;
  readonly jinja2: string;
  readonly now: string;
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly contexts: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly templates: readonly {
    readonly name: string;
    readonly kind: string;
    readonly template: string;
    readonly renderings: Readonly<Record<string, { readonly text?: string; readonly error?: string }>>;
  }[];
}

/** One template in one conversation: as the reference has it, refused with a reason, or wrong. */
export interface ChatTemplateOutcome {
  readonly name: string;
  readonly kind: string;
  readonly context: string;
  readonly outcome: 'equal' | 'told' | 'wrong';
  readonly ours: string;
  readonly theirs: string;
}

/** Compares all templates of a fixture with what the reference made of them; refused on both sides is equal. */
export function compareChatTemplates({
  templates,
  contexts,
  specialTokens,
  now,
}: ChatTemplateFixture): ChatTemplateOutcome[] {
  return templates.flatMap(({ name, kind, template, renderings }) =>
    Object.entries(renderings).map(([context, { text, error }]): ChatTemplateOutcome => {
      const { ours, isRefused } = rendered(
        template,
        { tools: null, documents: null, add_generation_prompt: true, ...specialTokens, ...contexts[context] },
        new Date(now),
      );
      const outcome = isRefused ? (error === undefined ? 'told' : 'equal') : ours === text ? 'equal' : 'wrong';
      return { name, kind, context, outcome, ours, theirs: text ?? String(error) };
    }),
  );
}

function rendered(
  template: string,
  context: Readonly<Record<string, unknown>>,
  now: Date,
): { ours: string; isRefused: boolean } {
  try {
    return { ours: new JinjaTemplate(template).render(context, now), isRefused: false };
  } catch (error) {
    if (!(error instanceof JinjaError) && !(error instanceof RangeError)) throw error;
    return { ours: error.message, isRefused: true };
  }
}
