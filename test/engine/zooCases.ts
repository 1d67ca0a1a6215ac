/** Models of test/fixtures/zoo, each with what the reference library computes for it. */
export const zooCases = [
  'bart.sdpa.legacy', 'bert.eager.dynamo', 'bert.sdpa.legacy', 'bert.sdpa.legacy.fp16', 'bert.sdpa.legacy.int8', 'bert.sdpa.legacy.qdq', 'bert.sdpa.op23', 'bert_mlm.sdpa.dynamo',
  'craft.additive.legacy', 'craft.attention_mask1d_full', 'craft.attention_mask2d_full', 'craft.attention_nomask_causal', 'craft.decomposed.legacy', 'craft.gqa_plain', 'craft.gqa_rotary', 'craft.gqa_window',
  'craft.linear.legacy', 'craft.mha_keymask', 'craft.mha_plain', 'craft.onnx_attention_causal', 'craft.qattention', 'craft.sigmoid.legacy', 'craft.sink_logits.legacy', 'craft.worked_example',
  'deberta_v2.eager.legacy', 'distilbert.eager.legacy', 'gemma2.eager.legacy', 'gpt2.eager.dynamo', 'gpt2.sdpa.legacy', 'gpt2.sdpa.legacy.external', 'gpt2.sdpa.legacy.merged',
  'llama.eager.legacy', 'llama.sdpa.dynamo', 'llama.sdpa.legacy.q4', 'llama.sdpa.op23', 'mistral.sdpa.dynamo', 'modernbert.sdpa.legacy', 'qwen2.sdpa.legacy', 'roberta_mlm.sdpa.legacy',
  'craft.learned_queries.dynamo', 'craft.learned_queries.legacy', 'craft.moe_gathered.legacy', 'craft.moe_relu2.dynamo', 'craft.router_topk_softmax.legacy', 'craft.tiled_positions.legacy', 'real.heads_as_modules.legacy', 'real.qoperator_s8s8', 'real.softmax_upgraded',
  't5.eager.legacy', 'vit.eager.dynamo', 'vit.sdpa.legacy', 'whisper.sdpa.dynamo',
];
