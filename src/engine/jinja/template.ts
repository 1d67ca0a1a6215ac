import { bound, textOf } from './bound';
import { render } from './interpreter';
import type { Statement } from './nodes';
import { parse } from './parser';
import { strftime } from './strftime';
import { Callable, fromPlain, type Value } from './values';

/** A template of Jinja as transformers' `apply_chat_template` has it (Jinja 3.1, trimmed blocks, loop controls, an immutable sandbox). */
export class JinjaTemplate {
  readonly #body: readonly Statement[];

  /** Throws {@link JinjaError} where the text is no template, or asks for what is not supported. */
  constructor(text: string) {
    this.#body = parse(text);
  }

  /** Says what the template says of plain values. Throws {@link JinjaError}, and RangeError where it goes too deep or says too much. */
  render(context: Readonly<Record<string, unknown>>, now = new Date()): string {
    const date = new Callable('strftime_now', (args) =>
      strftime(now, textOf('strftime_now', bound('strftime_now', args, ['format'])[0])),
    );
    const names = new Map<string, Value>(Object.entries(context).map(([name, value]) => [name, fromPlain(value)]));
    return render(this.#body, new Map([['strftime_now', date], ...names]));
  }
}
