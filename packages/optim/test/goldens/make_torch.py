"""Makes torch.json: trajectories of PyTorch's optimizers, in float64.

    python3 make_torch.py > torch.json        # made with PyTorch 1.13

The gradient of weight i in step t = 1, 2, ... is 0.4 w + sin(2 t + i).
"""
import json

import torch

torch.set_default_dtype(torch.float64)
START = [0.3, -1.0, 2.0, 0.5]
STEPS = 15

CASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-6),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.05, betas=(0.9, 0.8)),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05, initial_accumulator_value=0.1, eps=0),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=0.7, rho=0.8),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.05, alpha=0.8),
    "rmsprop, centered, with momentum": lambda p: torch.optim.RMSprop(
        p, lr=0.01, alpha=0.8, momentum=0.7, centered=True
    ),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.05, betas=(0.9, 0.9), eps=0),
    "rprop": lambda p: torch.optim.Rprop(p, lr=0.05),
}


def trajectory(make):
    w = torch.tensor(START, requires_grad=True)
    optimizer = make([w])
    places = torch.arange(len(START))
    weights = []
    for t in range(1, STEPS + 1):
        w.grad = 0.4 * w.detach() + torch.sin(2.0 * t + places)
        optimizer.step()
        weights.append(w.detach().tolist())
    return weights


def lbfgs():
    """Rosenbrock's function, by L-BFGS with a strong Wolfe line search: where it ends."""
    w = torch.tensor([-1.2, 1.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=100, tolerance_grad=1e-12, tolerance_change=1e-15)

    def closure():
        optimizer.zero_grad()
        loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)
    return w.detach().tolist()


print(json.dumps({
    "torch": torch.__version__,
    "start": START,
    "trajectories": {name: trajectory(make) for name, make in CASES.items()},
    "lbfgs": lbfgs(),
}))
