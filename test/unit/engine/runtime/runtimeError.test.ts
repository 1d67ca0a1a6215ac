import { expect } from 'chai';
import { runtimeError, shortened } from '../../../../src/engine/runtime/runtimeError';

describe("the runtime's messages", () => {
  it('are cut to what is wrong', () => {
    const cases: Readonly<Record<string, string>> = {
      "Non-zero status code returned while running Gather node. Name:'/m/Gather' Status Message: shader_helper.cc:416 GenerateSourceCode Program Gather requires f16 but the device does not support it.":
        'Program Gather requires f16 but the device does not support it.',
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters':
        'Failed to get a WebGPU adapter: No supported adapters',
      'ERROR_CODE: 2, ERROR_MESSAGE: /agent/_work/1/s/onnxruntime/core/framework/op_kernel.cc:83 virtual OrtValue *onnxruntime::OpKernelContext::OutputMLValue(int, const TensorShape &) [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Tensor shape is wrong\n':
        'Tensor shape is wrong',
      "ERROR_CODE: 2, ERROR_MESSAGE: Non-zero status code returned while running GroupQueryAttention node. Name:'a/0' Status Message: head_size shall be a multiple of 16. Got head_size % 16 == 8":
        'head_size shall be a multiple of 16. Got head_size % 16 == 8',
      '/onnxruntime_src/onnxruntime/core/platform/posix/env.cc:251 onnxruntime::{anonymous}::PosixThread::PosixThread(const char*, int, unsigned int (*)(int, Eigen::ThreadPoolInterface*), const onnxruntime::ThreadOptions&) pthread_create failed, error code: 11':
        'pthread_create failed, error code: 11',
      'C:\\a\\1\\s\\onnxruntime\\core\\graph\\graph.cc:4388 InjectExternalInitializers External initializer: w is wrong':
        'External initializer: w is wrong',
      '/o/x.h:12 static onnxruntime::common::Status onnxruntime::Cast<T>::Check(int) const [with T = float] it is no number (3)':
        'it is no number (3)',
      'Deserialize tensor w failed.tensorprotoutils.cc:1763 GetExtDataFromTensorProto External initializer: w offset: 0 size to read: 16384 given file_length: 1000 are out of bounds or can not be read in full.':
        'Deserialize tensor w failed. External initializer: w offset: 0 size to read: 16384 given file_length: 1000 are out of bounds or can not be read in full.',
      'ERROR_CODE: 1, ERROR_MESSAGE: Type Error: a type is wrong\nand more': 'Type Error: a type is wrong',
      'wrong ELF class': 'wrong ELF class',
    };
    for (const [message, expected] of Object.entries(cases)) expect(shortened(message)).to.equal(expected);
  });

  it('that come often are told in words of ours', () => {
    const cases: Readonly<Record<string, string>> = {
      "Can't create a session. ERROR_CODE: 6, ERROR_MESSAGE: [ShapeInferenceError] Can't merge shape info. Both inferred and declared dimension have values but they differ. Inferred=4 Declared=5 Dimension=0":
        'shapes that the file states contradict what its operators give',
      "Failed to find kernel for QLinearMatMul(10) (node:'/layers/0/attn/q/MatMul_quant' ep:'CPUExecutionProvider'). Op with name (x) domain () and type (QLinearMatMul) kernel is not supported":
        'it does not have the operator QLinearMatMul for numbers of this kind',
      "Could not find an implementation for Sin(7) node with name ''":
        'it does not have the operator Sin of version 7, or not for numbers of this kind',
      'Fatal error: com.microsoft:Foo(-1) is not a registered function/op':
        'it does not know the operator com.microsoft:Foo',
      'This is an invalid model. In Node, ("", Foo, "", -1) : ("x": tensor(float),) -> ("y": tensor(float),) , Error No Op registered for Foo with domain_version of 17':
        'it does not know the operator Foo in version 17 of the operators',
      '/onnxruntime_src/onnxruntime/core/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&) Unsupported model IR version: 99, max supported IR version: 13':
        'the file is of format 99, and it reads formats up to 13',
      'ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under development and support for this is limited. The operator schemas and or other functionality may change before next ONNX release and in this case ONNX Runtime will not guarantee backward compatibility. Current official support for domain ai.onnx is till opset 26.':
        'the file uses version 99 of the operators, and it knows versions up to 26',
      "This is an invalid model. Type Error: Type 'tensor(bfloat16)' of input parameter (x) of operator (Sin) in node () is invalid.":
        'the operator Sin does not work on tensor(bfloat16)',
      'Type Error: Type parameter (T) of Optype (Add) bound to different types (tensor(float) and tensor(int64) in node ().':
        'the operator Add is given both tensor(float) and tensor(int64)',
      "Non-zero status code returned while running Add node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:563 void onnxruntime::BroadcastIterator::Init(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 4 by 5":
        'two tensors with 4 and 5 positions do not fit together: the file may be made for texts of a certain length',
      "Non-zero status code returned while running Reshape node. Name:'' Status Message: /o/reshape_helper.h:91 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) input_shape_size == requested_shape_size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{5}, requested shape:{2,4}":
        'a tensor of shape {5} cannot take the shape {2,4}: the file may be made for texts of a certain length',
      "Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=9 must be within the inclusive range [-3,2]":
        'the row 9 of a table was asked for, which has the rows [-3,2]: the tokenizer may not belong to the model, or the text is longer than it reads',
    };
    for (const [message, expected] of Object.entries(cases)) expect(shortened(message)).to.equal(expected);
  });

  it('are cut quickly, however long the names in them', () => {
    const started = performance.now();
    for (const text of ['a/'.repeat(1e6), 'a.'.repeat(1e6), 'x.cc:1 '.repeat(1e6), `x.cc:1 a::b${'('.repeat(1e6)}`])
      expect(shortened(text).length).to.be.at.most(200);
    expect(performance.now() - started).to.be.below(1000);
  });

  it('that say that memory was missing are told so, with what it was missing for', () => {
    const message =
      "Non-zero status code returned while running MatMul node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1280000000000\n";
    expect(runtimeError(new Error(message), 'this run')).to.deep.include({
      code: 'outOfMemory',
      args: ['this run'],
      details: message,
    });
    expect(runtimeError(new RangeError('Invalid typed array length: 18014398509481984'), 'this run').code).to.equal(
      'outOfMemory',
    );
  });

  it('are kept whole as the details', () => {
    const message =
      "Non-zero status code returned while running Gather node. Name:'/m/Gather' Status Message: indices are out of bounds";
    expect(runtimeError(new Error(message), 'this run')).to.deep.include({
      code: 'runtimeFailed',
      args: ['indices are out of bounds'],
      details: message,
    });
  });
});
