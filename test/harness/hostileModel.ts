import { WireWriter } from '../../src/onnx/file/wireWriter';
import { smallGraph, type SmallGraph } from '../unit/onnx/smallModel';

/** A model of one attention whose every name, its producer and an operator set among them, is a text. */
export function hostileModel(text: string): Uint8Array {
  const name = (what: string): string => `${what}${text}`;
  const graph: SmallGraph = {
    nodes: [
      { operator: 'MatMul', inputs: [name('q'), name('kt')], outputs: [name('s')], name: name('/scores/') },
      {
        operator: 'Softmax',
        inputs: [name('s')],
        outputs: [name('p')],
        attributes: { axis: { integer: -1 } },
        name: name('/weights/'),
      },
      { operator: 'MatMul', inputs: [name('p'), name('v')], outputs: [name('y')], name: name('/values/') },
      {
        operator: 'Softmax',
        inputs: [name('y')],
        outputs: [name('z')],
        attributes: { axis: { integer: -1 } },
        name: name('/other/'),
      },
      { operator: name('Operator'), inputs: [name('z')], outputs: [name('o')], name: name('/unknown/') },
    ],
    inputs: {
      [name('q')]: [1, 2, name('n'), 4],
      [name('kt')]: [1, 2, 4, name('n')],
      [name('v')]: [1, 2, name('n'), 4],
    },
    outputs: [name('o')],
  };
  return new WireWriter()
    .integer(1, 8)
    .text(2, name('producer '))
    .text(3, text)
    .message(7, smallGraph(graph))
    .message(8, new WireWriter().integer(2, 17))
    .message(8, new WireWriter().text(1, name('domain')).integer(2, 1))
    .toBytes();
}
