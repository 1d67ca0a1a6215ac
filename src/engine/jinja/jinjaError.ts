/** Why a template cannot be read or applied, as a sentence of Jinja or Python where they have one. */
export class JinjaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JinjaError';
  }
}
