"""NumPy's results for test/fft.test.ts:  python3 fft.py > fft.json"""

import json

import numpy as np

rng = np.random.default_rng(3)
lengths = [1, 2, 3, 5, 8, 12, 17, 30]
vectors = {n: np.round(rng.normal(size=n) + 1j * rng.normal(size=n), 3) for n in lengths}
grid = np.round(rng.normal(size=(3, 4, 5)), 3)


def parts(z):
    return {"re": np.real(z).tolist(), "im": np.imag(z).tolist()}


f = np.fft
print(
    json.dumps(
        {
            "vectors": {str(n): parts(x) for n, x in vectors.items()},
            "fft": {str(n): parts(f.fft(x)) for n, x in vectors.items()},
            "ifft": {str(n): parts(f.ifft(x)) for n, x in vectors.items()},
            "rfft": {str(n): parts(f.rfft(x.real)) for n, x in vectors.items()},
            "irfft": {str(n): f.irfft(x, n=2 * n - 1).tolist() for n, x in vectors.items()},
            "irfftEven": {str(n): f.irfft(x).tolist() for n, x in vectors.items() if n > 1},
            "cut": parts(f.fft(vectors[8], n=5)),
            "padded": parts(f.fft(vectors[5], n=8, norm="ortho")),
            "forward": parts(f.ifft(vectors[5], norm="forward")),
            "grid": grid.tolist(),
            "fftn": parts(f.fftn(grid)),
            "fft2": parts(f.fft2(grid)),
            "axes": parts(f.fftn(grid, s=[4, 2], axes=[0, 1])),
            "rfftn": parts(f.rfftn(grid)),
            "irfftn": f.irfftn(f.rfftn(grid), s=[3, 4, 5], axes=[0, 1, 2]).tolist(),
            "fftfreq": f.fftfreq(5, d=0.1).tolist(),
            "shift": f.fftshift(np.arange(5)).tolist(),
            "ishift": f.ifftshift(np.arange(5)).tolist(),
        }
    )
)
