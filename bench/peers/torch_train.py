"""PyTorch's training speed on the CPU: the peer of Epitome's training benchmark.

usage: torch_train.py [--precision bf16|fp32] [--eager] [--steps N] [--warmup N] [--threads N] [shape ...]

Shapes, model, optimizer and printed line are those of ../shared/bench/peer_train.py; precision and compiler are selectable and
the process's peak memory (VmHWM) is added. Targets are drawn apart from the inputs and weights start at GPT-2's deviation of
0.02: with the inputs as targets, a tied head and unit embeddings the loss is zero from the first step and nothing is trained.
The median is over the steps after the warm-up.
"""
import argparse, re, statistics, time
import torch, torch.nn as nn, torch.nn.functional as F

SHAPES = {  # name: vocabulary, context, width, layers, heads, batch
    "cpu-config": (65, 64, 128, 4, 4, 12),
    "baby": (65, 256, 384, 6, 6, 16),
    "gpt2-124M": (50304, 64, 768, 12, 12, 4),
}


class Block(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(c), nn.LayerNorm(c)
        self.qkv, self.out = nn.Linear(c, 3 * c, bias=False), nn.Linear(c, c, bias=False)
        self.up, self.down = nn.Linear(c, 4 * c, bias=False), nn.Linear(4 * c, c, bias=False)

    def forward(self, x):  # (B, T, C)
        b, t, c = x.shape
        qkv = self.qkv(self.norm1(x)).split(c, 2)
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in qkv)  # (B, H, T, C / H)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, c)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, vocabulary, context, c, layers, heads):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, c), nn.Embedding(context, c)
        self.blocks = nn.ModuleList(Block(c, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(c), nn.Linear(c, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids, targets):  # (B, T) both
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1).float(), targets.flatten())


def peak_mib():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024


def measure(name, options):
    vocabulary, t, c, layers, heads, b = SHAPES[name]
    torch.manual_seed(0)
    model = GPT(vocabulary, t, c, layers, heads)
    parameters = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    for p in model.parameters():
        if p.dim() == 2:
            nn.init.normal_(p, std=0.02)
    run = model if options.eager else torch.compile(model)
    ids, targets = (torch.randint(0, vocabulary, (b, t)) for _ in range(2))
    times = []
    for _ in range(options.warmup + options.steps):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            loss = run(ids, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - start)
    s = statistics.median(times[options.warmup :])
    flops = (6 * parameters + 12 * layers * c * t) * b * t
    print(
        f"{name}: {b * t / s:.0f} tok/s, {s * 1e3:.1f} ms/step, {flops / s / 1e9:.0f} GFLOP/s,"
        f" {options.precision} {'eager' if options.eager else 'compiled'}, peak {peak_mib():.0f} MiB, loss {loss.item():.4f}",
        flush=True,
    )


parser = argparse.ArgumentParser(description="PyTorch's training speed on the CPU")
parser.add_argument("shapes", nargs="*", help=f"any of {', '.join(SHAPES)}; all by default")
parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16", help="bf16: autocast")
parser.add_argument("--eager", action="store_true", help="without torch.compile")
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--warmup", type=int, default=4)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
for shape in options.shapes or SHAPES:
    measure(shape, options)
