// PyTorch's eager attention in a process of its own, told how many tokens to read by lines on its input.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A running PyTorch. */
export interface Eager {
  /** Reads so many tokens, with all attention returned. */
  run(length: number): Promise<void>;
  stop(): void;
}

const program = `
import sys, torch
from transformers import BertConfig, BertModel
torch.set_num_threads(int(sys.argv[1]))
model = BertModel(BertConfig(attn_implementation="eager"), add_pooling_layer=False)
model.eval()
print("ready", flush=True)
for line in sys.stdin:
    ids = (torch.arange(int(line)) * 7919 % 30522)[None]
    with torch.no_grad():
        attentions = model(input_ids=ids, output_attentions=True).attentions
    assert len(attentions) == 12 and attentions[0].shape[-1] == int(line)
    print("done", flush=True)
`;

/** Starts PyTorch with so many threads; undefined where there is none. */
export async function startEager(threads: number): Promise<Eager | undefined> {
  const child = spawn('python3', ['-c', program, String(threads)], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise<undefined>((settle) => {
    child.once('error', () => settle(undefined));
    child.once('exit', () => settle(undefined));
  });
  const next = async (): Promise<string | undefined> => (await Promise.race([lines.next(), gone]))?.value;
  if ((await next()) !== 'ready') return undefined;
  return {
    async run(length) {
      child.stdin.write(`${length}\n`);
      if ((await next()) !== 'done') throw new Error('PyTorch stopped');
    },
    stop: () => child.kill(),
  };
}
