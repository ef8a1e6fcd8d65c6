"""PyTorch's results for test/image.test.ts:  python3 image.py > image.json"""

import json

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(5)
image = np.round(rng.normal(size=(5, 7)), 3)
sizes = [(9, 4), (3, 16), (5, 3), (12, 7)]
x = torch.tensor(image)[None, None]


def resized(size, mode, antialias=False):
    options = {} if mode == "nearest-exact" else {"align_corners": False, "antialias": antialias}
    return F.interpolate(x, size=size, mode=mode, **options)[0, 0].tolist()


rows = np.round(rng.uniform(-3, 8, size=(11,)), 3)
columns = np.round(rng.uniform(-3, 10, size=(11,)), 3)


def sampled(padding, mode):
    to_unit = lambda c, n: 2 * torch.tensor(c) / (n - 1) - 1
    grid = torch.stack([to_unit(columns, 7), to_unit(rows, 5)], dim=-1)[None, None]
    return F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=True)[0, 0, 0].tolist()


weights = np.round(rng.normal(size=(3, 2, 2, 4)), 3)  # kernel, results, channels
batch = np.round(rng.normal(size=(1, 3, 4, 4)), 3)
transposed = F.conv_transpose2d(
    torch.tensor(batch).permute(0, 3, 1, 2), torch.tensor(weights).permute(3, 2, 0, 1), stride=2
).permute(0, 2, 3, 1)

print(
    json.dumps(
        {
            "image": image.tolist(),
            "sizes": sizes,
            "nearest": [resized(s, "nearest-exact") for s in sizes],
            "linear": [resized(s, "bilinear", True) for s in sizes],
            "linearAlias": [resized(s, "bilinear") for s in sizes],
            "cubic": [resized(s, "bicubic", True) for s in sizes],
            "rows": rows.tolist(),
            "columns": columns.tolist(),
            "constant": sampled("zeros", "bilinear"),
            "edge": sampled("border", "bilinear"),
            "mirror": sampled("reflection", "bilinear"),
            "weights": weights.tolist(),
            "batch": batch.tolist(),
            "transposed": transposed.tolist(),
        }
    )
)
