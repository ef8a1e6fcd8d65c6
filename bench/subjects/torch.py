"""PyTorch, as Debian packages it: `python3 torch.py <threads>`. The same requests and answers as serve.mjs."""
import json
import sys
import time

sys.path.pop(0)  # this file is called torch too
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(int(sys.argv[1]))


def matmul(m, n, k, transposeX=False, transposeY=False):
    x = torch.randn(k, m).t() if transposeX else torch.randn(m, k)
    y = torch.randn(n, k).t() if transposeY else torch.randn(k, n)
    return lambda: torch.matmul(x, y)


def conv(n, size, c, f, kernel, stride, target):
    pad = (kernel - 1) // 2
    x = torch.randn(n, c, size, size)
    w = torch.randn(f, c, kernel, kernel)
    y = torch.randn(n, f, -(-size // stride), -(-size // stride))
    if target == "y":
        return lambda: F.conv2d(x, w, stride=stride, padding=pad)
    mask = [target == "x", target == "w", False]
    return lambda: torch.ops.aten.convolution_backward(
        y, x, w, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1, mask
    )


def chain(rows, columns):
    a, b, c = torch.randn(rows), torch.randn(rows), torch.randn(rows)
    return lambda: torch.relu(torch.addcmul(c, a, b))


def total(rows, columns, axis=None):
    x = torch.randn(rows, columns)
    return (lambda: x.sum()) if axis is None else (lambda: x.sum(axis))


def softmax(rows, columns):
    x = torch.randn(rows, columns)
    return lambda: torch.softmax(x, 1)


def greatest(rows, columns, axis=None):
    x = torch.randn(rows, columns)
    return lambda: x.amax(axis)


def layer_norm(rows, columns):
    x = torch.randn(rows, columns)
    return lambda: F.layer_norm(x, (columns,))


def running_sum(rows, columns, axis):
    x = torch.randn(rows, columns)
    return lambda: x.cumsum(axis)


def transpose(rows, columns):
    x = torch.randn(rows, columns)
    return lambda: x.t().contiguous()


def gelu(rows, columns):
    x = torch.randn(rows, columns)
    return lambda: F.gelu(x)


def batch_norm(n, size, c):
    layer = nn.BatchNorm2d(c)
    x = torch.randn(n, c, size, size).contiguous(memory_format=torch.channels_last).requires_grad_()
    g = torch.randn(n, c, size, size).contiguous(memory_format=torch.channels_last)
    return lambda: torch.autograd.grad(layer(x), [x, *layer.parameters()], g)


def max_pool(n, size, c):
    x = torch.randn(n, c, size, size, requires_grad=True)
    g = torch.randn(n, c, size // 2, size // 2)
    return lambda: torch.autograd.grad(F.max_pool2d(x, 2), x, g)


def normal(rows, columns):
    return lambda: torch.randn(rows)


def optimizer(name, size):
    if name == "neumann":
        raise ValueError("no such optimizer")
    params = [torch.ones(size // 25, requires_grad=True) for _ in range(25)]
    for p in params:
        p.grad = torch.ones_like(p)
    kind = torch.optim.Adam(params, 1e-3) if name == "adam" else torch.optim.SGD(params, 1e-3, momentum=0.9)
    return kind.step


def training(model, x):
    labels = torch.zeros(len(x), dtype=torch.long)
    descent = torch.optim.SGD(model.parameters(), 0.01)

    def step():
        descent.zero_grad(set_to_none=True)
        F.cross_entropy(model(x), labels).backward()
        descent.step()

    return step


def small_net(batch):
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1568, 10),
    )  # fmt: skip
    return training(model, torch.randn(batch, 1, 28, 28))


class Block(nn.Module):
    def __init__(self, c, f, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c, f, 3, stride, 1, bias=False), nn.BatchNorm2d(f), nn.ReLU(),
            nn.Conv2d(f, f, 3, 1, 1, bias=False), nn.BatchNorm2d(f),
        )  # fmt: skip
        self.shortcut = (
            nn.Sequential(nn.Conv2d(c, f, 1, stride, bias=False), nn.BatchNorm2d(f)) if stride > 1 else nn.Identity()
        )

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet18(batch):
    blocks = []
    for c, f, stride in [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]:
        blocks += [Block(c, f, stride), Block(f, f, 1)]
    model = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    return training(model, torch.randn(batch, 3, 32, 32))


def eager():
    x = torch.ones(16)
    return lambda: x + x


workloads = {
    "matmul": matmul, "conv": conv, "chain": chain, "sum": total, "softmax": softmax,
    "max": greatest, "layerNorm": layer_norm, "maxPool": max_pool, "normal": normal,
    "runningSum": running_sum, "transpose": transpose, "gelu": gelu, "batchNorm": batch_norm,
    "optimizer": optimizer,
    "step": small_net, "resnet18": resnet18, "eager": eager,
}  # fmt: skip

WARM_UP = 5  # milliseconds that do not count, as in serve.mjs


def timed(run, quantum):
    """Milliseconds of one run, averaged over at least `quantum` milliseconds."""
    count, start, warm = 0, time.perf_counter(), False
    while True:
        run()
        count += 1
        elapsed = (time.perf_counter() - start) * 1e3
        if elapsed >= quantum:
            return elapsed / count
        if not warm and elapsed >= WARM_UP:
            count, start, warm = 0, time.perf_counter(), True


prepared = {}
for line in sys.stdin:
    request = json.loads(line)
    key = json.dumps([request["workload"], request["params"]])
    try:
        if key not in prepared:
            prepared.clear()
            prepared[key] = workloads[request["workload"]](**request["params"])
            for _ in range(2):
                prepared[key]()
        answer = {"ms": timed(prepared[key], request["quantum"])}
    except KeyError:
        answer = {"error": "no such workload"}
    except Exception as error:
        answer = {"error": str(error).split("\n")[0]}
    print(json.dumps(answer), flush=True)
