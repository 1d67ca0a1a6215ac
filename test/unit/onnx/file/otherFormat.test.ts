import { expect } from 'chai';
import { otherFormat, standIn } from '../../../../src/onnx/file/otherFormat';

describe('What stands where a model should', () => {
  const said = (text: string): string | undefined => otherFormat(new TextEncoder().encode(text));

  it('is named where a download went wrong', () => {
    expect(said('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'))
      .to.include('Git LFS pointer')
      .and.to.include('git lfs pull');
    for (const page of ['<!DOCTYPE html><html>', '\n<html lang="en">', '<?xml version="1.0"?>'])
      expect(said(page)).to.include('web page');
    expect(said('{"error": "Entry not found"}')).to.include('JSON');
    expect(standIn(new TextEncoder().encode('{"version": "1.0"}'))).to.equal(undefined);
    for (const answer of [
      'Entry not found',
      'Invalid credentials in Authorization header',
      'Access to model org/name-7b is restricted.\n',
      'Not Found',
    ])
      expect(said(answer), answer).to.include('line of text');
  });

  it('is left to the reader of models otherwise', () => {
    expect(otherFormat(new Uint8Array([8, 8, 18, 7, 112, 121, 116, 111, 114, 99, 104]))).to.equal(undefined);
    expect(otherFormat(new Uint8Array())).to.equal(undefined);
  });
});
