import { readFileSync } from 'node:fs';
import { headLabel, type Component, type HeadRef } from '../../src/model/head';

/** The head that media/models/models.json lists a bundled model with, which is shown first. */
export function listedHead(model: string): { readonly component: Component; readonly label: string } & HeadRef {
  const listed = JSON.parse(readFileSync(`${process.cwd()}/media/models/models.json`, 'utf8')) as Record<
    string,
    { readonly head?: { readonly component: Component } & HeadRef }
  >; // a file of this repository
  const head = listed[model]?.head;
  if (head === undefined) throw new Error(`models.json lists no head of ${model}.`);
  return { ...head, label: headLabel(head) };
}
