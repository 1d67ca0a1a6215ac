import { expect } from 'chai';
import { runtimeError, shortened } from '../../../src/engine/runtimeError';

describe("the runtime's messages", () => {
  it('are cut to what is wrong', () => {
    const cases: Readonly<Record<string, string>> = {
      "Non-zero status code returned while running Gather node. Name:'/m/Gather' Status Message: shader_helper.cc:416 GenerateSourceCode Program Gather requires f16 but the device does not support it.": 'Program Gather requires f16 but the device does not support it.',
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters': 'Failed to get a WebGPU adapter: No supported adapters',
      'ERROR_CODE: 1, ERROR_MESSAGE: Type Error: a type is wrong\nand more': 'Type Error: a type is wrong',
      'wrong ELF class': 'wrong ELF class',
    };
    for (const [message, expected] of Object.entries(cases)) expect(shortened(message)).to.equal(expected);
  });

  it('are kept whole as the details', () => {
    const message = "Non-zero status code returned while running Gather node. Name:'/m/Gather' Status Message: indices are out of bounds";
    expect(runtimeError(new Error(message), 'this run')).to.deep.include({ code: 'runtimeFailed', args: ['indices are out of bounds'], details: message });
  });
});
