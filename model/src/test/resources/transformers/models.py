"""Tiny models that transformers draws, with their logits; or the logits of a folder.

usage: models.py make FOLDER           a folder for each model: config, weights, expected.safetensors (tokens, logits)
       models.py judge MODEL EXPECTED  logits of MODEL for `tokens` of a safetensors file, into EXPECTED.out
"""
import os, sys, torch, transformers as tf
from safetensors.torch import load_file, save_file

TOKENS = 40
COMMON = dict(vocab_size=96, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=64)


def make(folder, name, model_class, config, shard="5GB"):
    torch.manual_seed(len(name))
    config._attn_implementation = "eager"
    model = model_class(config).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases and gains off their defaults, logits that tell models apart
            parameter.add_(torch.randn_like(parameter) * 0.1)
    path = os.path.join(folder, name)
    model.save_pretrained(path, max_shard_size=shard)
    tokens = torch.randint(0, config.vocab_size, (1, TOKENS))
    save_file({"tokens": tokens.to(torch.int32)}, os.path.join(path, "expected.safetensors"))
    judge(model, os.path.join(path, "expected.safetensors"))


def judge(model, expected):
    tokens = load_file(expected)["tokens"]
    with torch.no_grad():
        logits = model(input_ids=tokens.long()).logits.float().contiguous()
    save_file({"tokens": tokens, "logits": logits}, expected + ".out")


def llama(**more):
    return tf.LlamaForCausalLM, tf.LlamaConfig(**COMMON, **more)


def qwen2(**more):
    return tf.Qwen2ForCausalLM, tf.Qwen2Config(**COMMON, **more)


def rope(**parameters):
    return dict(rope_parameters=dict(rope_theta=10000.0, **parameters))


def all_models(folder):
    make(folder, "gpt2", tf.GPT2LMHeadModel, tf.GPT2Config(vocab_size=96, n_positions=64, n_embd=48, n_layer=3, n_head=4))
    make(folder, "llama", *llama())
    make(folder, "llama-tied-sharded", *llama(tie_word_embeddings=True), shard="30KB")
    make(folder, "llama-biases", *llama(attention_bias=True, mlp_bias=True))
    make(folder, "llama-attention-bias-head-dim", *llama(attention_bias=True, head_dim=20))
    make(folder, "llama-linear", *llama(**rope(rope_type="linear", factor=4.0)))
    llama3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
    make(folder, "llama-llama3", *llama(**rope(rope_type="llama3", **llama3)))
    yarn = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)
    make(folder, "llama-yarn", *llama(**rope(**yarn)))
    make(folder, "llama-yarn-other", *llama(**rope(beta_fast=4.0, beta_slow=0.5, mscale=2.0, mscale_all_dim=0.5, **yarn)))
    make(folder, "qwen3-yarn", tf.Qwen3ForCausalLM, tf.Qwen3Config(**COMMON, head_dim=20, **rope(attention_factor=0.8, **yarn)))
    make(folder, "mistral-window", tf.MistralForCausalLM, tf.MistralConfig(**COMMON, sliding_window=7, head_dim=20))
    make(folder, "mistral", tf.MistralForCausalLM, tf.MistralConfig(**COMMON, sliding_window=None))
    make(folder, "qwen2-sharded", *qwen2(), shard="30KB")
    make(folder, "qwen2-window", *qwen2(use_sliding_window=True, sliding_window=9, max_window_layers=0))
    make(folder, "qwen2-window-unused", *qwen2(use_sliding_window=True, sliding_window=9, max_window_layers=3))
    make(folder, "qwen3", tf.Qwen3ForCausalLM, tf.Qwen3Config(**COMMON, head_dim=20, attention_bias=True))
    make(folder, "refused-yarn", *llama(**rope(truncate=False, **yarn)))
    make(folder, "refused-dynamic", *llama(**rope(rope_type="dynamic", factor=4.0)))
    make(folder, "refused-window-of-some-layers", *qwen2(use_sliding_window=True, sliding_window=9, max_window_layers=1))
    layers = ["full_attention", "sliding_attention", "full_attention"]
    make(folder, "refused-layer-types", *qwen2(use_sliding_window=True, sliding_window=9, layer_types=layers))
    make(folder, "refused-partial-rotary", *llama(**rope(rope_type="default", partial_rotary_factor=0.5)))


if sys.argv[1] == "make":
    all_models(sys.argv[2])
else:
    model = tf.AutoModelForCausalLM.from_pretrained(sys.argv[2], dtype=torch.float32, attn_implementation="eager")
    judge(model.eval(), sys.argv[3])
