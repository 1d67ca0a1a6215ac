import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { GuardLine } from '../../../src/base/guardLine';
import { memoryBound } from '../../../src/base/memoryBound';
import { saysOutOfMemory } from '../../../src/base/outOfMemory';
import { explainEnd } from '../../../src/base/processEnd';

describe('the end of a process', () => {
  const endOf = (source: string, ...args: string[]) => {
    const { status, signal, stderr } = spawnSync(process.execPath, [...args, '--eval', source], { encoding: 'utf8' });
    return explainEnd({ code: status, signal, printed: stderr });
  };

  it("is told to be for want of memory at the end of V8's heap", () => {
    expect(
      endOf('const held = []; for (;;) held.push(new Array(1000).fill(held.length));', '--max-old-space-size=20').kind,
    ).to.equal('memory');
  });

  it('is told with its code or its signal where nothing else is known', () => {
    expect(endOf('process.exit(3)')).to.deep.equal({ kind: 'other', reason: 'exit code 3' });
    expect(endOf("console.error('heap out of memory'); process.exit(3)").kind).to.equal('other'); // what a program merely says
    if (process.platform !== 'win32')
      expect(endOf("process.kill(process.pid, 'SIGKILL')")).to.deep.equal({ kind: 'other', reason: 'signal SIGKILL' });
  });

  it('by a fault is that of the file which changed, and by anything else is not', () => {
    const traces = { code: null, printed: '', changedFile: 'model.onnx.data' };
    expect(explainEnd({ ...traces, signal: 'SIGBUS' })).to.deep.equal({ kind: 'files', reason: 'model.onnx.data' });
    expect(explainEnd({ ...traces, signal: 'SIGKILL' }).kind).to.equal('other');
    expect(explainEnd({ code: null, signal: 'SIGBUS', printed: '' }).kind).to.equal('other');
  });

  it('is told to be for want of memory where its guard says so', () => {
    const words = new GuardLine();
    expect(words.read('beat\nbe')).to.deep.equal([{ kind: 'beat' }]);
    const [beat, limit] = words.read('at\nlimit 3000000000\nsomething\nlimit x\n');
    expect([beat, limit]).to.deep.equal([{ kind: 'beat' }, { kind: 'limit', bytes: 3e9 }]);
    expect(words.read('x'.repeat(1e6))).to.deep.equal([]);
    expect(explainEnd({ code: null, signal: 'SIGKILL', printed: '', limitBytes: 3e9 })).to.deep.equal({
      kind: 'memory',
      reason: 'this run, which took more than the 3000 MB that the engine may take on this machine',
    });
  });
});

describe('the memory that a process may take', () => {
  it('is three quarters of what there is, and on a small machine what the bundled models need', () => {
    expect(memoryBound(16e9)).to.equal(12e9);
    expect(memoryBound(16e9, 8e9)).to.equal(6e9);
    expect(memoryBound(16e9, 2 ** 63)).to.equal(12e9); // no limit, as some systems say it
    expect(memoryBound(1e9)).to.equal(2 ** 30);
  });
});

describe('a want of memory', () => {
  it('is known in the words of Node and V8', () => {
    for (const run of [
      () => new ArrayBuffer(2 ** 52),
      () => new Float32Array(2 ** 40),
      () => new Float32Array(2 ** 54),
      () => 'x'.repeat(2 ** 30),
      () => new Array(-1),
      () => new WebAssembly.Memory({ initial: 65536 * 4 }),
    ]) {
      let message = '';
      try {
        run();
      } catch (error) {
        message = String(error);
      }
      // The last is refused as an argument; no machine runs out of memory for a test.
      expect(saysOutOfMemory(message) || message.includes('WebAssembly.Memory'), message).to.equal(true);
    }
  });

  it('is known in the words of the runtimes, and other failures are not', () => {
    const said = [
      "Non-zero status code returned while running MatMul node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1280000000000\n",
      "Non-zero status code returned while running MatMul node. Name:'' Status Message: std::bad_alloc",
      'failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc',
      'failed to call OrtRun(). ERROR_CODE: 2, ERROR_MESSAGE: /agent/_work/1/s/onnxruntime/core/framework/op_kernel.cc:83 virtual OrtValue *onnxruntime::OpKernelContext::OutputMLValue(int, const TensorShape &) [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Tensor shape is too large\n',
      'failed to call OrtRun(). ERROR_CODE: 1, ERROR_MESSAGE: /agent/_work/1/s/onnxruntime/core/common/safeint.h:17 static void SafeIntExceptionHandler<onnxruntime::OnnxRuntimeException>::SafeIntOnOverflow() Integer overflow\n',
      '/onnxruntime_src/onnxruntime/core/platform/posix/env.cc:251 onnxruntime::{anonymous}::PosixThread::PosixThread(const char*, int) pthread_create failed, error code: 12 error msg: Cannot allocate memory',
      'no available backend found. ERR: [wasm] RangeError: WebAssembly.Memory(): could not allocate memory',
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      'FATAL ERROR: Zone Allocation failed - process out of memory',
    ];
    for (const message of said) expect(saysOutOfMemory(message), message).to.equal(true);
    for (const message of [
      'indices element out of data bounds, idx=9',
      'Integer overflow of an index',
      'memory access out of bounds',
      'Maximum call stack size exceeded',
      'Invalid argument',
    ])
      expect(saysOutOfMemory(message), message).to.equal(false);
  });
});
