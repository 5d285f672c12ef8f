"""Made the folders beside it: two tiny models of transformers 5.18, an adapter of PEFT 0.21 for each with random matrices,
and in expected.json the logits without and with the adapter, and the
gradients of the mean loss of each next token. Run: python make.py FOLDER"""
import json, sys, pathlib, torch
from transformers import Qwen3Config, Qwen3ForCausalLM, GPT2Config, GPT2LMHeadModel
from peft import LoraConfig, get_peft_model

IDS = [[3, 1, 4, 1, 5, 9, 2, 6]]
out = pathlib.Path(sys.argv[1])

def rounded(tensor):
    return [round(value, 7) for value in tensor.flatten().tolist()]

def make(name, model, lora):
    torch.manual_seed(1)
    for p in model.parameters():
        torch.nn.init.normal_(p, 0.3 if p.dim() > 1 else 1.0, 0.2)
    model.save_pretrained(out / name / "base")
    plain = model.eval()(torch.tensor(IDS)).logits[0].tolist()
    adapted = get_peft_model(model, lora).eval()
    adapted.save_pretrained(out / name / "adapter")
    for readme in (out / name).rglob("README.md"):
        readme.unlink()
    logits = adapted(torch.tensor(IDS)).logits[0]
    torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(IDS[0][1:])).backward()
    gradients = {n.replace(".default", ""): rounded(p.grad) for n, p in adapted.named_parameters() if p.requires_grad}
    json.dump({"ids": IDS[0], "plain": rounded(torch.tensor(plain)), "adapted": rounded(logits), "gradients": gradients},
              open(out / name / "expected.json", "w"))

make("qwen3",
     Qwen3ForCausalLM(Qwen3Config(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
         num_attention_heads=2, num_key_value_heads=1, head_dim=8, max_position_embeddings=32, tie_word_embeddings=True)),
     LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=5, init_lora_weights=False,
         target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
make("gpt2",
     GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=2, n_positions=32)),
     LoraConfig(task_type="CAUSAL_LM", r=2, lora_alpha=3, use_rslora=True, init_lora_weights=False,
         target_modules=["c_attn", "c_fc"], fan_in_fan_out=True))
