"""Writes numpy.json: results of NumPy and SciPy for the cases of cases.ts, by name. Run it with both installed."""

import json
import pathlib

import numpy as np

x = np.arange(12.0).reshape(3, 4)
v = np.array([3.0, -1.0, 2.0, 0.5, 2.0])
w = np.array([0.5, 4.0, -2.0])
cube = np.arange(24.0).reshape(2, 3, 4)

cases = {
    # arrangements
    "rot90 3": np.rot90(x, 3),
    "rot90 axes": np.rot90(cube, 1, axes=(2, 0)),
    "roll": np.roll(x, (1, -2), (0, 1)),
    "roll flat": np.roll(x, 5),
    "diagonal": np.diagonal(cube, 1, 2, 1),
    "diag": np.diag(w, -1),
    "diag of": np.diag(x, 2),
    "trace": np.trace(x, 1),
    "tril": np.tril(cube, -1),
    "triu": np.triu(x, 1),
    "tri": np.tri(2, 4, 1),
    "vander": np.vander(w, 4),
    "meshgrid": np.meshgrid(w, [1.0, 2.0]),
    "indices": np.indices((2, 3)),
    "unravelIndex": np.unravel_index(np.array([3, 17, 23]), (2, 3, 4)),
    "ravelMultiIndex": np.ravel_multi_index(([1, 0], [2, 1], [3, 0]), (2, 3, 4)),
    "arraySplit": [list(p) for p in np.array_split(v, 3)],
    "dstack": np.dstack([x, x + 1]),
    "columnStack": np.column_stack([w, x]),
    "block": np.block([[x, x[:, :1]], [np.ones((1, 5))]]),
    "logspace": np.logspace(0, 1, 4, base=3.0),
    "geomspace": np.geomspace(1, 1000, 4),
    # padding
    **{
        f"pad {mode}": np.pad(x[:2, :3], ((1, 2), (3, 4)), mode)
        for mode in ["edge", "reflect", "symmetric", "wrap", "maximum", "minimum", "mean"]
    },
    "pad linearRamp": np.pad(w, (2, 3), "linear_ramp", end_values=1.0),
    # products
    "einsum trace": np.einsum("ii", x[:, :3]),
    "einsum batch": np.einsum("bij,bkj->kbi", cube, cube + 1),
    "einsum ellipsis": np.einsum("...ij,jk", cube, cube[0].T),
    "einsum implicit": np.einsum("ba", x),
    "einsum many": np.einsum("ij,jk,lk,l->i", x, x.T, x.T, np.arange(4.0)),
    "tensordot": np.tensordot(cube, x, ([1, 2], [0, 1])),
    "inner": np.inner(cube, x),
    "kron": np.kron(x[:2, :2], w),
    "cross": np.cross(x[:, :3], w),
}


def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    value = float(value)
    return value if np.isfinite(value) else str(value)


if __name__ == "__main__":
    text = ",\n".join(f"  {json.dumps(name)}: {json.dumps(plain(value))}" for name, value in cases.items())
    pathlib.Path(__file__).with_name("numpy.json").write_text("{\n" + text + "\n}\n")
