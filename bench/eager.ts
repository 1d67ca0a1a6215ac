import { startProgram, type OtherProgram } from './otherProgram';

const program = `
import sys, torch, transformers
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel
kind, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
if kind == "bert":
    model = BertModel(BertConfig(attn_implementation="eager", max_position_embeddings=1024), add_pooling_layer=False)
else:
    model = GPT2LMHeadModel(GPT2Config(attn_implementation="eager", use_cache=False))
model.eval()
print(f"ready PyTorch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}", flush=True)
for line in sys.stdin:
    ids = (torch.arange(int(line)) * 7919 % 30522)[None]
    with torch.no_grad():
        attentions = model(input_ids=ids, output_attentions=True).attentions
    assert len(attentions) == 12 and attentions[0].shape[-1] == int(line)
    print("done", flush=True)
`;

/** Starts PyTorch's eager attention with so many threads; undefined where there is no Python with torch and transformers. */
export function startEager(kind: 'bert' | 'gpt2', threads: number): Promise<OtherProgram | undefined> {
  return startProgram('python3', ['-c', program, kind, String(threads)]);
}
