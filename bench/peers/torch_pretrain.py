"""Pretrains a Qwen3-layout model with PyTorch on a GPU, for sizes that two CPU cores cannot train in an hour.

usage: torch_pretrain.py DOCUMENTS.json.xz TOKENIZER.json FOLDER --layers N --width N [--epochs N] [--context N] [--batch N]

DOCUMENTS holds two lists of texts, for training and held out (as `epitome split` divides them). Layout, tokenizer and the stream
of documents, each after the token that ends a text, are Epitome's; so is the form of the folder, weights in bf16. Matrices
are trained by Muon, tables and gains by AdamW; the learning rate falls linearly in the last half. Prints the loss now and then, and at the
end the held-out bits per byte over windows of the whole context (a little worse than with context carried over).
"""
import argparse, json, lzma, math, os, time
import numpy as np, torch
from tokenizers import Tokenizer
from transformers import Qwen3Config, Qwen3ForCausalLM


def stream(tokenizer, texts, end):
    parts = [np.array([end] + e.ids, dtype=np.int32) for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    return torch.from_numpy(np.concatenate(parts)).long()


@torch.compile
def orthogonal(g):  # Newton-Schulz, quintic: Jordan et al., Muon (2024)
    x = g.bfloat16()
    tall = x.size(-2) > x.size(-1)
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


def main():
    p = argparse.ArgumentParser()
    p.add_argument("documents"), p.add_argument("tokenizer"), p.add_argument("folder")
    for name, value in dict(layers=8, width=512, epochs=4, context=512, batch=64).items():
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--rate", type=float, default=0.02), p.add_argument("--table-rate", type=float, default=0.002)
    p.add_argument("--weight-decay", type=float, default=0.1), p.add_argument("--seconds", type=float, default=1e9)
    a = p.parse_args()
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    tokenizer = Tokenizer.from_file(a.tokenizer)
    vocabulary = tokenizer.get_vocab_size()
    end = vocabulary - 1
    with lzma.open(a.documents, "rt", encoding="utf8", newline="") as f:
        training, held = json.load(f)
    data, test = stream(tokenizer, training, end).cuda(), stream(tokenizer, held, end).cuda()
    hidden = (a.width * 8 // 3 + 63) // 64 * 64
    heads = a.width // 64
    config = Qwen3Config(vocab_size=vocabulary, hidden_size=a.width, intermediate_size=hidden, num_hidden_layers=a.layers,
        num_attention_heads=heads, num_key_value_heads=heads, head_dim=64, max_position_embeddings=a.context, rope_theta=10000.0,
        tie_word_embeddings=True, bos_token_id=end, eos_token_id=end, attention_bias=False)
    model = Qwen3ForCausalLM(config).cuda()
    count = sum(w.numel() for w in model.parameters())
    print(f"{count/1e6:.2f}M parameters, {len(data)} tokens", flush=True)
    matrices = [w for w in model.model.layers.parameters() if w.dim() == 2]
    others = [w for w in model.parameters() if not any(w is m for m in matrices)]
    momentum = [torch.zeros_like(w) for w in matrices]
    adam = torch.optim.AdamW(others, lr=a.table_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    steps = a.epochs * len(data) // (a.batch * a.context)
    compiled = torch.compile(model)
    generator = np.random.default_rng(1)
    order, began, step, done, shown = [], time.time(), 0, 0.0, 0.0
    start = None
    while step < steps and done < 1:
        if len(order) < a.batch:
            offset = int(generator.integers(a.context))
            order = list(generator.permutation((len(data) - offset - 1) // a.context) * a.context + offset)
        rows = torch.stack([data[i:i + a.context + 1] for i in (order.pop() for _ in range(a.batch))])
        with torch.autocast("cuda", torch.bfloat16):
            logits = compiled(input_ids=rows[:, :-1]).logits  # (B, T, V)
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        start = start or time.time()
        done = max(step / steps, (time.time() - start) / a.seconds)
        scale = min(1.0, (step + 1) / 50, (1 - done) / 0.5 + 1e-3)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        with torch.no_grad():
            for w, m in zip(matrices, momentum):
                m.lerp_(w.grad, 0.05)
                update = orthogonal(w.grad.lerp(m, 0.95)).to(w.dtype)
                rate = a.rate * scale * max(1, w.size(0) / w.size(1)) ** 0.5
                w.mul_(1 - rate * a.weight_decay).add_(update, alpha=-rate)
        for group in adam.param_groups:
            group["lr"] = a.table_rate * scale
        adam.step()
        model.zero_grad(set_to_none=True)
        step += 1
        if time.time() - shown > 15:
            shown = time.time()
            print(f"step {step} of {steps}, loss {loss.item():.4f}, {shown - began:.0f} s", flush=True)
    model.eval()
    bits, n = 0.0, (len(test) - 1) // a.context
    with torch.no_grad(), torch.autocast("cuda", torch.bfloat16):
        for i in range(n + 1):
            row = test[i * a.context:(i + 1) * a.context + 1]
            if len(row) > 1:
                logits = model(input_ids=row[None, :-1]).logits[0].float()
                bits += torch.nn.functional.cross_entropy(logits, row[1:], reduction="sum").item() / math.log(2)
    size = sum(len(t.encode()) for t in held)
    print(f"held out: {bits / size:.4f} bits per byte; {step} steps, {step * a.batch * a.context} tokens, {time.time() - began:.0f} s")
    model.to(torch.bfloat16).save_pretrained(a.folder)
    tokenizer.save(os.path.join(a.folder, "tokenizer.json"))


if __name__ == "__main__":
    main()
