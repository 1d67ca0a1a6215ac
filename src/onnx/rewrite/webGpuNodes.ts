import type { AttributeInfo, NodeInfo } from '../file/onnxModel';

/**
 * Whether a node is refused by the WebGPU backend of ONNX Runtime 1.30 when it runs, or computed wrongly, and so must run on the processor.
 * Operators that the backend lacks altogether go there by themselves.
 */
export function isWrongOnWebGpu(
  { domain, opType, inputs, outputs }: NodeInfo,
  attributes: () => ReadonlyMap<string, AttributeInfo>,
): boolean {
  switch (domain === '' ? opType : `${domain}.${opType}`) {
    case 'And': // wrong where one side is spread over the other's last axis
      return true;
    case 'Sin': // shaders may be off by 2^-11 (WGSL, accuracy of built-in functions), and more beyond ±π: positions go far beyond
    case 'Cos':
      return true;
    case 'com.microsoft.MultiHeadAttention':
      return isNamed(inputs, 4); // refused: key_padding_mask
    case 'com.microsoft.GroupQueryAttention':
      // Refused: output_qk and attention that is not causal. The soft cap is left out without a word.
      return (
        isNamed(outputs, 3) ||
        attributes().get('causal')?.integer === 0 ||
        (attributes().get('softcap')?.float ?? 0) !== 0
      );
    default:
      return false;
  }
}

function isNamed(names: readonly string[], position: number): boolean {
  return (names[position] ?? '') !== '';
}
