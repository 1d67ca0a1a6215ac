import { line } from '../base/terminalText';
import { plain } from '../base/safeText';
import { backends } from '../model/modelInfo';

/** What `--help` prints. */
export const usage = line`Usage:
  attention-explorer explain FILE[:RANGE]|- [--pair FILE[:RANGE]] [--model MODEL] [--target TEXT] [--component NAME] [--head LAYER.HEAD]
                             [--tokenizer TOKENIZER_JSON] [--chat] [--context TOKENS] [--json]
                             [--out NUMBERS.npz|.safetensors|.csv|.json [--dtype float32|float16] [--threshold WEIGHT]]
                             [--figure FIGURE.svg|.png|.pdf|.html [--view matrix|source|list|grid] [--width MM] [--scale 1|2|4]]
                             [--source-language CODE] [--target-language CODE] [--input] [--stages] [--method METHOD] [--query I]
      what every token of the file (or of its RANGE, or of the standard input) reads most, and in which head, or what it reads in the
      head named; of an encoder–decoder model also what its output reads, or the target text given; NAME is encoder, decoder, cross or self;
      RANGE is a line, lines from-to, or line:column-line:column, from one and inclusive; --pair reads a second text with the first, with the
      separators and token types that the tokenizer makes; --context reads RANGE in the text around it, about so many tokens of it, and tells
      of the tokens of RANGE alone, with the mean of several; --query tells of the token at place I alone, from zero; --chat puts the model's chat template around the text, or around the messages
      of a conversation (YAML or JSON); --out writes all numbers to a file instead, as arrays or as text: of CSV those from WEIGHT on
      (0.01 where it is missing), one a line; --figure draws the matrix instead (of the head named, else the mean of all), or the text, the list or the
      small pictures of all heads, MM millimetres wide (85), of the token at place --query, or of the last one; a PNG (twice as large as on a screen,
      else --scale) or PDF is drawn by a Chromium, Chrome or Edge of this machine (CHROME_PATH names another one); .html is a page that answers to hover,
      pins and the choice of a head without a network; the codes are those of a translator's tokenizer
      (eng_Latn, en_XX), where its settings name others or none; --input prints the tensors that the model is fed, as Python, instead;
      METHOD says what a number is: attention (the weight), norm (times the length of what the head would write), value (times the length of the
      value), summed (the length of what all heads write), residual (with the token itself), residualNorm (and the norm behind it), rollout
      (each share beside what uniform attention comes to), rolloutUniform, that baseline, or flow (of the token at place --query, from zero, or of the last one); with its formula and source
  attention-explorer explain IMAGE [--model MODEL] [--head LAYER.HEAD] [--json] [--input] [--method METHOD] [--query I]
                           [--out NUMBERS.npz|.safetensors|.csv|.json [--dtype float32|float16] [--threshold WEIGHT]]
                           [--figure FIGURE.svg|.png|.pdf|.html [--view matrix|source|list|grid] [--width MM] [--scale 1|2|4]]
      which patches of the picture the class token reads
  attention-explorer explain IMAGE --text TEXT --model MODEL [--head LAYER.HEAD] [--tokenizer TOKENIZER_JSON] [--json] [--out NUMBERS.npz|.safetensors|.csv|.json]
                             [--input] [--method METHOD] [--query I]
      the same of a text with the picture in it, by a model that reads both (embed_tokens, vision_encoder and a decoder in one folder): the
      picture stands where the text says so (<image>), else before it, and its tokens are patches of it
  attention-explorer heads FILE[:RANGE]|IMAGE|- [--model MODEL] [--target TEXT] [--component NAME] [--sort METRIC] [--queries RANGE --keys RANGE]
                           [--tokenizer TOKENIZER_JSON] [--source-language CODE] [--target-language CODE] [--json|--figure TABLE.svg|.png|.pdf [--width MM] [--scale 1|2|4]]
  attention-explorer heads --random [--model MODEL] [--component NAME] [--sort METRIC] [--tokenizer TOKENIZER_JSON] [--json]
      the metrics of every head on the text or picture, with their definitions; --queries and --keys: how much the tokens of one range of the
      file read those of another, beside others as far apart; --random: on random tokens that come twice, where induction tells of the head
      and not of the text
  attention-explorer how FILE[:RANGE]|IMAGE|- --head LAYER.HEAD --query I --key J [--model MODEL] [--component NAME] [--target TEXT] [--json|--numpy|--figure STEPS.svg|.png|.pdf [--width MM] [--scale 1|2|4]]
                         [--tokenizer TOKENIZER_JSON] [--source-language CODE] [--target-language CODE]
      how the weight of one token for another came about, step by step with the model's own numbers and the nodes of its graph; I and J are
      the places of tokens, from zero; --numpy prints Python that computes each step anew and fails where it comes to something else
  attention-explorer relations FILE[:RANGE]|- [--language LANGUAGE] [--model MODEL] [--tokenizer TOKENIZER_JSON] [--json]
      what every head reads along the relations of a program (matching bracket, definition, header of the block and others), beside
      other tokens as far apart, with a 95 % interval; LANGUAGE is that of the file's ending where it is missing
  attention-explorer predict FILE[:RANGE]|IMAGE|- [--mask N] [--model MODEL] [--target TEXT] [--tokenizer TOKENIZER_JSON]
                             [--source-language CODE] [--target-language CODE] [--json]
      what the model predicts at every token: its surprisal in bits and its rank, the entropy, and the five most probable tokens; a masked
      language model reads its mask token in the place of each token in turn, or of the one at place N (from zero); of an
      encoder–decoder model the tokens of its output, or of the target text given; of a classifier its labels with their probabilities
  attention-explorer profile FILES…|--files-from LIST|--jsonl TEXTS [--model MODEL] [--out FOLDER] [--length TOKENS] [--overlap LINES]
                             [--shard I/N] [--threads N] [--texts] [--tokenizer TOKENIZER_JSON] [--json]
  attention-explorer profile --merge PROFILES… --out FOLDER [--json]
      what every head does over many texts, into a folder of Parquet files: each metric with mean, variance and deciles, structure scores by
      language, the strongest chunks (by hash, line and column; with --texts also their texts), and what classes of tokens read; in chunks
      of whole lines and at most TOKENS (what the model reads, at most 1024), each with LINES of the one before (0); LIST has a path and TEXTS
      a JSON string or {"text", "language", "name"} on each line (- is the standard input), of which --shard I/N takes every N-th from the
      I-th (from 0) on, which may be nothing; a folder that holds a part of it is gone on with, by one process at a time; --merge: any split
      over any number of processes gives the same bytes
  attention-explorer effect FILE[:RANGE]|- --at N --token T [--against U] [--head LAYER.HEAD | --all] [--component NAME] [--by zero|mean]
                            [--path total|direct] [--block QUERY:KEY [--renormalize] | --swap PART --to TEXT] [--model MODEL] [--target TEXT]
                            [--tokenizer TOKENIZER_JSON] [--source-language CODE] [--target-language CODE] [--json]
  attention-explorer effect FILE[:RANGE]|IMAGE|- --loss|--label L [--against M] [--to OTHER_IMAGE] …
      what silent heads do to a prediction: to ln p of the token T (its text, or # and its id) at place N, or how much T stands before U; to the
      mean loss of the text (--loss); or to a classifier's label (its name or its place), of a text or a picture; each head by itself (--all), or
      the one named; --by: zeros in place of what it reads, or the mean of that over all positions; --block: without the weight of one token for another, one of which may be * for all, for the
      head named or all of the component, the weight gone or (--renormalize) given to what else is read; --swap: with what heads read in
      the same text with TEXT in the place of PART, as many tokens (of a picture, --to: in another one), as a share of the difference between
      both predictions; --path direct: only what the heads add to the final sum
  attention-explorer writes FILE[:RANGE]|- --token T [--against U] [--at N] [--head LAYER.HEAD] [--component NAME] [--model MODEL]
                            [--target TEXT] [--tokenizer TOKENIZER_JSON] [--source-language CODE] [--target-language CODE] [--json]
      what embedding, heads, MLPs and biases add to the logit of token T directly, or to its difference to that of token U, where the token
      at place N is predicted (from 1; what would come next where N is missing); with --head, for each token that it reads; T and U are
      texts that are one token, or #ID; refused where the parts do not add up to the model's own logit
  attention-explorer generate FILE[:RANGE]|- [--tokens N] [--temperature T] [--top-p P] [--seed S] [--model MODEL]
                              [--tokenizer TOKENIZER_JSON] [--json]
      what a causal model writes after the text, N tokens (20), each with what else it could have been; greedily, or, with one of the other
      numbers, drawn at temperature T (1) of the most probable tokens whose shares come to P (1), by the seed S (0), the same for the same one
  attention-explorer compare A[:RANGE]|IMAGE|- [B[:RANGE]|IMAGE|-] [--model MODEL] [--with-model MODEL] [--heads index|nearest] [--component NAME]
                             [--predictions] [--target TEXT] [--tokenizer TOKENIZER_JSON] [--with-tokenizer TOKENIZER_JSON]
                             [--source-language CODE] [--target-language CODE] [--json|--figure TABLE.svg|.png|.pdf [--width MM] [--scale 1|2|4]]
      two texts or pictures by one model, or one by two models or two precisions of one: how far each head of the first is from one of the
      second, over the tokens that both have, and where it changed most; beside each head stands that of its layer and index, where both models lie
      in one folder, else the nearest one; --predictions puts what both predict side by side
  attention-explorer inspect MODEL [--prove] [--json]
      the extraction report: which attention was found in the model, and how; --prove runs the model, and says of each
      attention whether values times weights equal what it gives, and whether its keys grow with the text
  attention-explorer extract MODEL --feeds IN.safetensors --out OUT.safetensors [--also query,key,scores,value,norm] [--stages]
      runs the model on tensors named in.<input>; writes attention.<component>.<layer> and output; --also writes each head's queries and keys
      as the graph multiplies them, the scores that its softmax is given, its values, and the norms of what it would write if it read only
      one key, where the parts prove to add up to what the layer writes
  attention-explorer download REPOSITORY [FILE] --out FOLDER [--json]
      a model of the Hugging Face hub (OWNER/NAME) with all that it needs, into FOLDER/OWNER/NAME@COMMIT, each file proven by the hub's hash;
      what was ended goes on where it stopped when the same command is given again; FILE is one of its .onnx files, where it has several; HF_TOKEN
      has an access token, HF_ENDPOINT another hub; proxies are those of HTTPS_PROXY and NO_PROXY; no other command asks the network
  attention-explorer tokenize TOKENIZER_JSON < TEXT
      ids, tokens, offsets (UTF-16) and special tokens, as JSON

--backend ${plain(backends.join('|'))}|auto chooses what explain, heads, how, relations, predict, profile, compare, effect, writes, generate, extract and inspect --prove run on (auto, and for extract wasm, which is the same everywhere, or native where wasm cannot load the model).
--stages runs a model layer by layer, where it can be cut, instead of in one go (of explain, a model of one stack).
--timeout SECONDS ends a command that takes longer, whatever it does. --version says which version this is.
MODEL is an .onnx file, a folder that holds one with its tokenizer.json, or bundled:NAME.`;
