"""Writes numpy.json: results of NumPy and SciPy for the cases of cases.ts, by name. Run it with both installed."""

import json
import pathlib

import numpy as np
from scipy import special as sp

x = np.arange(12.0).reshape(3, 4)
v = np.array([3.0, -1.0, 2.0, 0.5, 2.0])
w = np.array([0.5, 4.0, -2.0])
wide = np.array([-3.7, -1.5, -0.3, 0.1, 0.5, 0.9, 1.0, 1.4616, 2.0, 3.3, 7.9, 8.1, 30.0, 170.0])
up = wide[3:]
tails = np.array([1e-300, 1e-20, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-12])
floats = np.array([0.1, 1.0, 2.0, -3.5, 1e-310, 1e300, 0.0, np.inf])
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
    # numeric
    "cbrt": np.cbrt(np.append(wide, [0.0, 1e300, 1e-300, np.inf])),
    "hypot": np.hypot(np.array([3.0, 1e200, 0.0, np.inf]), np.array([4.0, 1e200, 0.0, 1.0])),
    "sinc": np.sinc(np.append(wide, [0.0, 1e-5])),
    "logAddExp2": np.logaddexp2(wide, 2.0),
    "copysign": np.copysign(wide, -wide[::-1]),
    "heaviside": np.heaviside(np.array([-1.0, 0.0, 2.0]), 0.5),
    "fmod": np.fmod(wide, 0.7),
    "divmod": np.divmod(wide, -0.7),
    "gcd": np.gcd(np.array([12, 0, -18, 2**31 - 1, 701408733]), np.array([18, 0, 12, 6, 433494437])),
    "lcm": np.lcm(np.array([12, 0, -18]), np.array([18, 0, 12])),
    "frexp": np.frexp(floats),
    "modf": np.modf(floats),
    "ldexp": np.ldexp(floats, np.array([3, -1074, 1023, 5, 40, -2000, 2, 1])),
    "nextAfter": np.nextafter(np.float32([1, 1, 0, -1, 0]), np.float32([2, 0, -1, 0, 0])),
    "bitwiseCount": np.bitwise_count(np.array([0, 7, -7, 2**31 - 1], dtype=np.int32)),
    "nanToNum": np.nan_to_num(np.array([np.nan, np.inf, -np.inf, 1]), nan=7, posinf=8),
    # special
    "log1mExp": np.log1p(-np.exp(-up)),
    "logit": sp.logit(tails),
    "xlogy": sp.xlogy(np.array([0.0, 2.0, 0.0, 1.5]), np.array([0.0, 3.0, np.inf, 0.5])),
    "xlog1py": sp.xlog1py(np.array([0.0, 2.0]), np.array([-1.0, 1e-12])),
    "entr": sp.entr(np.array([-1.0, 0.0, 0.5, 2.0])),
    "relEntr": sp.rel_entr(np.array([0.0, 1.0, 2.0, -1.0, 1.0]), np.array([1.0, 0.0, 3.0, 1.0, -1.0])),
    "klDiv": sp.kl_div(np.array([0.0, 1.0, 2.0, -1.0]), np.array([1.0, 0.0, 3.0, 1.0])),
    "logGamma": sp.gammaln(wide),
    "gamma": sp.gamma(wide),
    "factorial": sp.factorial(np.array([0, 1, 5, 10])),
    "digamma": sp.digamma(wide),
    "polygamma": [sp.polygamma(n, up) for n in (1, 2, 5)],
    "zeta": [sp.zeta(s, up) for s in (1.1, 2.0, 7.5)],
    "beta": sp.beta(up, 2.5),
    "logBeta": sp.betaln(up, 2.5),
    "multiLogGamma": sp.multigammaln(up + 2, 4),
    "i0e": sp.i0e(wide),
    "i1e": sp.i1e(wide),
    "i0": sp.i0(wide),
    "i1": sp.i1(wide),
    "ndtr": sp.ndtr(wide),
    "logNdtr": sp.log_ndtr(np.array([-1e3, -40.0, -21.0, -19.0, -5.0, 0.0, 5.0, 30.0])),
    "ndtri": sp.ndtri(tails),
}


ties = np.array([[2.0, 1.0, 2.0, np.nan], [0.0, -0.0, -np.inf, 1.0]])
keys = np.array([3, 1, 3, 2, 1])
at = np.array([2, 0, 2, 2])
by = np.array([2.0, 3.0, 5.0, 7.0])


def updated(function, *operands):
    y = w.copy()
    function(y, *operands)
    return y


def assign(y, index, values):
    y[index] = values


cases.update(
    {
        # order
        "sort": np.sort(ties),
        "sort axis 0": np.sort(ties, 0),
        "argsort": np.argsort(ties, kind="stable"),
        "lexsort": np.lexsort([v, keys]),
        "cumsum": np.cumsum(x, 1),
        "cumprod": np.cumprod(x - 2, 0),
        "cummax": np.maximum.accumulate(v),
        "cummin": np.minimum.accumulate(v),
        "cumLogSumExp": np.logaddexp.accumulate(np.array([-np.inf, 1000.0, 1000.0, -1000.0, 1001.0])),
        # indexing
        "x[i, j]": x[np.array([2, 0]), np.array([[1], [-1]])],
        "cube[:, i, j]": cube[:, np.array([2, 0]), np.array([3, 1])],
        "cube[i, :, j]": cube[np.array([1, 0]), :, np.array([3, 1])],
        "cube[..., i]": cube[..., np.array([3, 1])],
        "cube[1, ::-1, i]": cube[1, ::-1, np.array([3, 1])],
        "x[mask]": x[x % 3 == 0],
        "cube[mask]": cube[:, np.array([True, False, True])],
        "set": updated(assign, at, by),
        "add": updated(np.add.at, at, by),
        "multiply": updated(np.multiply.at, at, by),
        "min": updated(np.minimum.at, at, -by),
        "max": updated(np.maximum.at, at, by),
        "nonzero": np.nonzero(x % 3),
        "compress": np.compress([False, True, True], x, 0),
        "extract": np.extract(x > 5, x),
        "choose": np.choose(np.array([1, 0, 1, 0]), [x, -x]),
        "select": np.select([x < 3, x < 7], [x, x * 10], -1),
    }
)


holes = np.array([[1.0, np.nan, 3.0, 7.0], [4.0, 2.0, np.nan, 0.5]])
cases.update(
    {
        # statistics
        "median": np.median(x, 0),
        "quantile": np.quantile(cube, [0.1, 0.77], axis=(0, 2), keepdims=True),
        **{
            f"percentile {how}": np.percentile(v, [0, 33, 60, 100], method=how)
            for how in ["linear", "lower", "higher", "midpoint", "nearest"]
        },
        "nanQuantile": np.nanquantile(holes, [0.25, 0.9], axis=1),
        "nanMedian": np.nanmedian(holes, 0),
        "nan": [
            f(holes, axis=1)
            for f in [np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd, np.nanargmax, np.nanargmin]
        ],
        "ptp": np.ptp(x, 1),
        "average": np.average(x, 1, weights=[1.0, 2.0, 3.0, 0.5]),
        "cov": np.cov(x + x**2),
        "corrcoef": np.corrcoef(np.array([v, v**2, v[::-1]])),
        "searchsorted": np.searchsorted([1.0, 2.0, 2.0, 3.0], [0.0, 2.0, 2.5, 9.0, np.nan], "right"),
        "digitize": np.digitize([0.0, 1.0, 2.5], [0.0, 1.0, 2.0], right=True),
        "histogram": np.histogram(v, bins=4, weights=v**2),
        "histogram density": np.histogram(x, bins=[0.0, 2.0, 5.0, 11.0], density=True),
        "bincount": np.bincount([0, 3, 3, 1], weights=[1.0, 2.0, 3.0, 4.0]),
        "interp": np.interp([-1.0, 0.0, 0.3, 1.0, 2.0, 9.0], [0.0, 1.0, 1.0, 3.0], [5.0, 7.0, 8.0, 0.0]),
        "unique": np.unique(keys, return_index=True, return_inverse=True, return_counts=True),
        "isIn": np.isin(keys, [1, 2]),
        "setxor1d": np.setxor1d(keys, [1, 5]),
        # series
        "diff": np.diff(x**2, 2),
        "gradient": np.gradient(v, 0.5),
        "trapezoid": np.trapezoid(x, [0.0, 1.0, 3.0, 3.5], axis=1),
        "unwrap": np.unwrap(np.array([0.0, 3.0, -3.0, 0.0, np.pi, 7.0, -9.0])),
        **{f"convolve {how}": np.convolve(v, w, how) for how in ["full", "same", "valid"]},
        **{f"correlate {how}": np.correlate(w, v, how) for how in ["full", "same", "valid"]},
        "polyval": np.polyval(v, w),
        "polyadd": np.polyadd(v, w),
        "polymul": np.polymul(v, w),
        "polyder": np.polyder(v, 2),
        "polyint": np.polyint(v),
        "tapers": [np.bartlett(5), np.hanning(5), np.hamming(5), np.blackman(5), np.kaiser(5, 3.0)],
    }
)


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
