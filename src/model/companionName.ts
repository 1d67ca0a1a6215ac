/** What may go with a model from above its folder: a tokenizer, settings, a template. */
export const companionName = /\.(?:json|txt|model|jinja|tiktoken)$/i;
