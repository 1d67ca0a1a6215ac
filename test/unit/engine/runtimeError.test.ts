import { expect } from 'chai';
import { runtimeError, shortened } from '../../../src/engine/runtimeError';

describe("the runtime's messages", () => {
  it('are cut to what is wrong', () => {
    const cases: Readonly<Record<string, string>> = {
      "Non-zero status code returned while running Gather node. Name:'/m/Gather' Status Message: shader_helper.cc:416 GenerateSourceCode Program Gather requires f16 but the device does not support it.": 'Program Gather requires f16 but the device does not support it.',
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters': 'Failed to get a WebGPU adapter: No supported adapters',
      'ERROR_CODE: 2, ERROR_MESSAGE: /agent/_work/1/s/onnxruntime/core/framework/op_kernel.cc:83 virtual OrtValue *onnxruntime::OpKernelContext::OutputMLValue(int, const TensorShape &) [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Tensor shape is wrong\n': 'Tensor shape is wrong',
      '/onnxruntime_src/onnxruntime/core/platform/posix/env.cc:251 onnxruntime::{anonymous}::PosixThread::PosixThread(const char*, int, unsigned int (*)(int, Eigen::ThreadPoolInterface*), const onnxruntime::ThreadOptions&) pthread_create failed, error code: 11': 'pthread_create failed, error code: 11',
      'C:\\a\\1\\s\\onnxruntime\\core\\graph\\graph.cc:4388 InjectExternalInitializers External initializer: w is wrong': 'External initializer: w is wrong',
      '/o/x.h:12 static onnxruntime::common::Status onnxruntime::Cast<T>::Check(int) const [with T = float] it is no number (3)': 'it is no number (3)',
      'Deserialize tensor w failed.tensorprotoutils.cc:1763 GetExtDataFromTensorProto External initializer: w offset: 0 size to read: 16384 given file_length: 1000 are out of bounds or can not be read in full.': 'Deserialize tensor w failed. External initializer: w offset: 0 size to read: 16384 given file_length: 1000 are out of bounds or can not be read in full.',
      'ERROR_CODE: 1, ERROR_MESSAGE: Type Error: a type is wrong\nand more': 'Type Error: a type is wrong',
      'wrong ELF class': 'wrong ELF class',
    };
    for (const [message, expected] of Object.entries(cases)) expect(shortened(message)).to.equal(expected);
  });

  it('are cut quickly, however long the names in them', () => {
    const started = performance.now();
    for (const text of ['a/'.repeat(1e6), 'a.'.repeat(1e6), 'x.cc:1 '.repeat(1e6), `x.cc:1 a::b${'('.repeat(1e6)}`]) expect(shortened(text).length).to.be.at.most(200);
    expect(performance.now() - started).to.be.below(1000);
  });

  it('that say that memory was missing are told so, with what it was missing for', () => {
    const message = "Non-zero status code returned while running MatMul node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1280000000000\n";
    expect(runtimeError(new Error(message), 'this run')).to.deep.include({ code: 'outOfMemory', args: ['this run'], details: message });
    expect(runtimeError(new RangeError('Invalid typed array length: 18014398509481984'), 'this run').code).to.equal('outOfMemory');
  });

  it('are kept whole as the details', () => {
    const message = "Non-zero status code returned while running Gather node. Name:'/m/Gather' Status Message: indices are out of bounds";
    expect(runtimeError(new Error(message), 'this run')).to.deep.include({ code: 'runtimeFailed', args: ['indices are out of bounds'], details: message });
  });
});
