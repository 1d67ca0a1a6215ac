import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { measureRandomText } from '../../src/engine/serve/measureRandomText';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { Runtime } from '../../src/engine/runtime/runtime';
import { columnOf } from '../../src/model/metrics/headTable';
import type { Component } from '../../src/model/head';
import { codeOf } from '../harness/codeOf';

const open = (name: string): Promise<LoadedModel> =>
  LoadedModel.load({ runtime: new Runtime(ort, 1), reason: '' }, nodeFileAccess, {
    path: `${process.cwd()}/media/models/${name}`,
    backend: 'wasm',
    threads: 1,
  });

describe('Random tokens that come twice', function () {
  this.timeout(60_000);
  const models = new Map<string, LoadedModel>();
  const model = async (name: string): Promise<LoadedModel> => {
    const loaded = models.get(name) ?? (await open(name));
    models.set(name, loaded);
    return loaded;
  };
  const measure = async (name: string, component: Component, numTokens = 64, seed = 1) => {
    const loaded = await model(name);
    return measureRandomText((reading) => loaded.explain(reading), {
      component,
      metrics: ['repeatedInduction', 'induction', 'previousToken'],
      random: { numTokens, seed },
    });
  };
  after(async () => {
    for (const loaded of models.values()) await loaded.release();
  });

  it('show the heads of the decoder that do induction, the same with the same seed', async () => {
    const { table, random } = await measure('code-decoder', 'self');
    expect(random).to.deep.equal({ numTokens: 64, seed: 1 });
    const induction = columnOf(table, 'repeatedInduction') ?? new Float32Array(0);
    expect(induction).to.have.length(32);
    expect(Math.max(...induction)).to.be.greaterThan(0.6);
    expect([...induction].filter((value) => value > 0.4).length).to.be.within(1, 12);
    // Half of the rows can have none.
    expect(Math.max(...(columnOf(table, 'induction') ?? []))).to.be.within(0.3, 0.5);
    expect((await measure('code-decoder', 'self')).table.values).to.deep.equal(table.values);
    expect((await measure('code-decoder', 'self', 64, 2)).table.values).to.not.deep.equal(table.values);
  });

  it('leave what is told of the latest run as it was', async () => {
    const loaded = await model('code-decoder');
    await loaded.explain({ text: 'one = two', tokenLimit: 0 });
    const [told, report] = [loaded.input(), loaded.report()];
    await measure('code-decoder', 'self', 16);
    expect(loaded.input()).to.deep.equal(told);
    expect(loaded.report()).to.deep.equal(report);
  });

  it('are as many as a small vocabulary has, within special tokens, and of a target after its start', async () => {
    const loaded = await model('date-transformer');
    const { streams } = await loaded.explain({ text: '', tokenLimit: 0, random: { numTokens: 64, seed: 1 } });
    const [source, target] = streams.map(({ tokens }) => tokens);
    const own = source.filter(({ isSpecial }) => !isSpecial).map(({ id }) => id);
    expect(own.slice(0, own.length / 2), 'twice').to.deep.equal(own.slice(own.length / 2));
    expect(new Set(own).size, 'each another').to.equal(own.length / 2);
    expect(own.length / 2).to.be.within(30, 64);
    expect(source.at(-1)?.isSpecial).to.equal(true);
    expect(target[0].isSpecial && target.slice(1).every(({ isSpecial }) => !isSpecial)).to.equal(true);
    expect(target.map(({ id }) => id).slice(1)).to.not.deep.equal(own);
    expect((await measure('date-transformer', 'cross')).table.metrics).to.have.length(3);
  });

  it('are refused where too few could come twice', async () => {
    expect(await codeOf(measure('code-decoder', 'self', 4))).to.equal('randomTooShort');
  });
});
