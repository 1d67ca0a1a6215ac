/** Says why the reference library does not open a tokenizer as its class asks: a clause for a notice. */
export class ReferenceFailure extends Error {}
