import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { mostLineBytes } from '../../../src/cli/profile/corpus';
import { longestLine } from '../../../src/cli/profile/results';
import { maxHeaderBytes as maxFeedsHeaderBytes } from '../../../src/cli/safetensors';
import { maxConversationDepth, maxConversationUnits } from '../../../src/engine/text/conversation';
import { maxFileTextUnits, maxFileTokens } from '../../../src/engine/attentionFile/fileStreams';
import { maxFilePixels } from '../../../src/engine/attentionFile/filePicture';
import { maxFileLayers } from '../../../src/engine/attentionFile/readAttentionFile';
import { maxArrays, maxArraysHeaderBytes, maxUnpackedBytes } from '../../../src/engine/attentionFile/readArrays';
import { maxCmykPixels } from '../../../src/engine/image/decodeCmykJpeg';
import { maxImagePixels, maxImageSide, maxScannedPixels } from '../../../src/engine/image/imageHeader';
import { maxLinePixels } from '../../../src/engine/image/resample';
import { maxShapedPixels } from '../../../src/engine/image/shapePicture';
import { maxFiles, maxFound } from '../../../src/hub/hubAnswers';
import { maxAnswerBytes } from '../../../src/hub/hubFetch.node';
import { maxOutputBytes, maxOutputUnpackedBytes } from '../../../src/notebook/readOutput';
import { mostBytes } from '../../../src/model/profile/leftOut';
import { maxFooterBytes } from '../../../src/engine/profile/parquetPages';
import { maxProfileColumnBytes, maxProfileRows } from '../../../src/engine/profile/readProfile';
import { fileLimits, formatBytes } from '../../../src/model/fileLimits';
import { maxGraphBytes, maxHeaderBytes as maxModelHeaderBytes } from '../../../src/onnx/file/compactModel';
import { maxDepth, maxFields, maxNamesBytes, maxNodes, maxTensors } from '../../../src/onnx/file/readModel';
import { maxJsonDepth, maxJsonUnits, maxJsonValues } from '../../../src/base/smallJson';
import { maxTextBytes } from '../../../src/base/wireReader';

describe('the table of bounds in SECURITY.md', () => {
  const tables = readFileSync('SECURITY.md', 'utf8')
    .split(/\n{2,}/)
    .filter((block) => block.startsWith('| '))
    .map((block) =>
      block
        .trim()
        .split('\n')
        .map((row) => row.slice(2, -2).split(' | ')),
    );

  it('says of every kind of file what the code says', () => {
    const files = tables.find(([head]) => head[0] === 'File') ?? [];
    expect(files.slice(2)).to.deep.equal(
      Object.values(fileLimits).map(({ title, maxBytes, beyond }) => [title, formatBytes(maxBytes), beyond]),
    );
  });

  it('says of what is bounded while a file is read what the code says', () => {
    const million = (count: number): string => `${Math.floor(count / 1e5) / 10} million`;
    const reading = tables.find(([head]) => head[0] === 'While it is read') ?? [];
    expect(reading.slice(2).map(([, most]) => most)).to.deep.equal([
      formatBytes(maxGraphBytes),
      formatBytes(maxModelHeaderBytes),
      `${maxNodes}; ${maxTensors}`,
      String(maxDepth),
      `${maxFields}; ${formatBytes(maxNamesBytes)}`,
      formatBytes(maxTextBytes),
      formatBytes(maxFeedsHeaderBytes),
      `${million(maxImagePixels)}; ${maxImageSide}`,
      `${maxCmykPixels / 1e6} million`,
      `${Math.floor(maxScannedPixels / 1e6)} million`,
      million(maxShapedPixels),
      million(maxLinePixels),
      `${maxArrays}; ${formatBytes(maxArraysHeaderBytes)}`,
      `${formatBytes(maxUnpackedBytes)}; ${formatBytes(maxUnpackedBytes)}`,
      `${maxFileLayers}; ${maxFileTokens}; ${maxFileTextUnits}`,
      `${maxFilePixels / 1e6} million`,
      `${formatBytes(maxAnswerBytes)}; ${maxFound}; ${maxFiles}`,
      'the size that its listing gives, and the room that the disk has',
      `${formatBytes(maxOutputBytes)}; ${formatBytes(maxOutputUnpackedBytes)}`,
      `${formatBytes(mostBytes)}; ${formatBytes(mostLineBytes)}`,
      formatBytes(longestLine),
      `${maxProfileRows}; ${formatBytes(maxProfileColumnBytes)}; ${formatBytes(maxFooterBytes)}`,
      `${maxJsonValues}; ${maxJsonUnits}; ${maxJsonDepth}`,
      `${maxConversationUnits}; ${maxConversationDepth}`,
    ]);
  });
});

describe('sizes', () => {
  it('are rounded up, so that what is too large never looks as large as what may be', () => {
    expect([1, 1024, 2 ** 20, 2 ** 20 + 1, 16 * 2 ** 20, 2 ** 30, 3.25 * 2 ** 30].map(formatBytes)).to.deep.equal([
      '0.1 KB',
      '1 KB',
      '1 MB',
      '1.1 MB',
      '16 MB',
      '1 GB',
      '3.3 GB',
    ]);
  });
});
