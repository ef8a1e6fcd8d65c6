"""NumPy's and PyTorch's results for test/linalg.test.ts:  python3 linalg.py > linalg.json"""

import json

import numpy as np
import torch

rng = np.random.default_rng(7)
square = np.round(rng.normal(size=(4, 4)), 3)
tall = np.round(rng.normal(size=(5, 3)), 3)
rhs = np.round(rng.normal(size=(4, 2)), 3)
target = np.round(rng.normal(size=(5, 2)), 3)
symmetric = np.round(square + square.T, 3)
positive = np.round(square @ square.T + np.eye(4), 3)
deficient = np.array([[1.0, 2, 3], [2, 4, 6], [1, 0, 1], [3, 2, 5]])

lin = np.linalg
qr, complete, wide = lin.qr(tall), lin.qr(tall, mode="complete"), lin.qr(tall.T)
sign, logdet = lin.slogdet(square)
p, l, u = torch.linalg.lu(torch.tensor(tall))
w, v = lin.eigh(symmetric)
us, s, vh = lin.svd(tall)
x, residuals, rank, values = lin.lstsq(tall, target, rcond=None)

results = {
    "cholesky": lin.cholesky(positive),
    "solve": lin.solve(square, rhs),
    "inv": lin.inv(square),
    "det": lin.det(square),
    "slogdet": [sign, logdet],
    "qr": [qr[0], qr[1]],
    "complete": [complete[0], complete[1]],
    "wide": [wide[0], wide[1]],
    "lu": [p.numpy(), l.numpy(), u.numpy()],
    "eigh": [w, v],
    "svd": [us, s, vh],
    "pinv": lin.pinv(tall),
    "pinvDeficient": lin.pinv(deficient),
    "lstsq": [x, residuals, values],
    "rank": int(lin.matrix_rank(deficient)),
    "power": lin.matrix_power(square, 5),
    "inversePower": lin.matrix_power(square, -3),
    "expm": torch.linalg.matrix_exp(torch.tensor(square)).numpy(),
    "expmLarge": torch.linalg.matrix_exp(torch.tensor(4 * square)).numpy(),
    "multiDot": lin.multi_dot([tall.T, tall, tall.T, target]),
    "norms": {str(o): lin.norm(tall, ord=o) for o in ["fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf]},
    "vectorNorms": {str(o): lin.norm(tall[:, 0], ord=o) for o in [0, 1, 2, 3, 0.5, -1, np.inf, -np.inf]},
    "cond": {str(o): lin.cond(square, p=o) for o in [2, -2, 1, np.inf, "fro", "nuc"]},
}
inputs = {
    "square": square, "tall": tall, "rhs": rhs, "target": target,
    "symmetric": symmetric, "positive": positive, "deficient": deficient,
}


def plain(x):
    if isinstance(x, dict):
        return {k: plain(y) for k, y in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    return np.asarray(x).tolist()


print(json.dumps({"inputs": plain(inputs), "results": plain(results)}, indent=None))
