import { readFileSync } from 'node:fs';
import * as l10n from '@vscode/l10n';
import { expect } from 'chai';
import { zipSync } from 'fflate';
import { errorSentences } from '../../../src/base/errors';
import { sentenceOf } from '../../../src/notebook/outputHost';
import { maxOutputBytes, maxOutputUnpackedBytes, readOutput } from '../../../src/notebook/readOutput';
import { npyHeader } from '../../../src/model/numbers/writtenArrays';
import { openLocalAttention } from '../../../src/engine/serve/attentionFileEngine';
import { codeOfCall } from '../../harness/codeOf';

const codeFor = (text: string) => codeOfCall(() => readOutput(text));

describe('the output of a cell', () => {
  it('is base64 in an object, in quotes, or by itself, with line breaks or without', () => {
    for (const text of ['{"file":"AQID"}', '"AQID"', 'AQID', ' AQ\nID\n', '{"file":"AQ\\nID","more":1}'])
      expect([...readOutput(text)], text).to.deep.equal([1, 2, 3]);
  });

  it('is refused with a sentence where it is anything else', () => {
    for (const text of ['{"file":7}', '{"file":', '[]', '{}', '"', '{"file":{"file":"AQID"}}', '<script>'])
      expect(codeFor(text), text).to.equal('outputInvalid');
    expect(codeFor('A'.repeat(Math.ceil((maxOutputBytes + 3) / 3) * 4))).to.equal('outputTooLarge');
    expect(codeFor(' '.repeat(2 * maxOutputBytes))).to.equal('outputTooLarge');
  });

  it('is refused in the language of the page, with the reason', () => {
    const chinese = JSON.parse(readFileSync('l10n/bundle.l10n.zh-cn.json', 'utf8')) as Record<string, string>; // our own file
    l10n.config({ contents: chinese });
    try {
      const sentence = sentenceOf(errorSentences.attentionFileInvalid, ['a.npz', '"tokens.npy" is encrypted']);
      expect(sentence)
        .to.include('"tokens.npy" 已加密')
        .and.to.not.match(/ is | cannot /);
    } finally {
      l10n.config({ contents: {} });
    }
  });

  it('is refused where a bit of it is another than was written', () => {
    const names = new TextEncoder().encode('["a"]');
    const arrays = [
      [{ name: 'attention.self.0', type: 'F32', shape: [1, 1, 1] }, new Uint8Array(Float32Array.of(1).buffer)],
      [{ name: 'tokens', type: 'U8', shape: [names.length] }, names],
    ] as const;
    const bytes = zipSync(
      Object.fromEntries(
        arrays.map(([array, data]) => [`${array.name}.npy`, new Uint8Array(Buffer.concat([npyHeader(array), data]))]),
      ),
      { level: 0 },
    );
    const open = (file: Uint8Array) =>
      openLocalAttention({ bytes: file, name: 'This output', mostBytes: maxOutputUnpackedBytes });
    const at = Buffer.from(bytes).indexOf('["a"]') + 2;
    const changed = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    expect(() => open(changed)).to.throw(/"tokens\.npy" is damaged/);
    expect(open(bytes).info.streams[0].text).to.equal('a');
  });

  it('is not unpacked where that takes more than a page should', () => {
    // Of half a megabyte that says that it becomes half a gigabyte, which DEFLATE can do.
    const noise = Uint8Array.from({ length: 2 ** 19 }, (_, i) => Math.imul(i * i + 7, 2654435761) >>> 21);
    const bytes = zipSync({ 'attention.self.0.npy': [noise, { level: 1 }] });
    const list = bytes.length - 22 - 46 - 'attention.self.0.npy'.length;
    new DataView(bytes.buffer).setUint32(list + 24, 2 ** 28 + 1, true);
    const open = () => openLocalAttention({ bytes, name: 'This output', mostBytes: maxOutputUnpackedBytes });
    expect(open).to.throw(/its arrays take more than 256 MB/);
  });
});
