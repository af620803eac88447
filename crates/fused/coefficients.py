"""Prints the polynomials of src/math: minimax by Remez exchange, rounded to the format."""

from mpmath import atanh, cos, expm1, linspace, log1p, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 50


def remez(f, weight, low, high, powers):
    """The coefficients of `powers` nearest to f in max |weight * error|, and that maximum."""
    n = len(powers)
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / n) for i in range(n + 1)]
    grid = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (40 * n)) for i in range(40 * n + 1)]
    table = [(x, f(x), weight(x)) for x in grid]
    for _ in range(8):
        a = matrix(n + 1, n + 1)
        b = matrix(n + 1, 1)
        for i, x in enumerate(points):
            for j, p in enumerate(powers):
                a[i, j] = x**p
            a[i, n] = (-1) ** i / weight(x)
            b[i] = f(x)
        solution = lu_solve(a, b)
        c = [solution[i] for i in range(n)]
        error = [(x, w * (y - sum(k * x**p for k, p in zip(c, powers)))) for x, y, w in table]
        peaks = []
        for x, e in error:
            if peaks and (peaks[-1][1] > 0) == (e > 0):
                if abs(e) > abs(peaks[-1][1]):
                    peaks[-1] = (x, e)
            else:
                peaks.append((x, e))
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1)
        if len(peaks) < n + 1:
            break
        points = [x for x, _ in peaks]
    return c, max(abs(e) for _, e in error)


def rounded(x, bits):
    """x to `bits` bits, to nearest."""
    with mp.workprec(bits):
        return +x


def fit(name, f, weight, low, high, degree, bits):
    c, best = remez(f, weight, low, high, range(degree + 1))
    fixed = [rounded(k, bits) for k in c]
    rest = lambda x: f(x) - sum(k * x**i for i, k in enumerate(fixed))
    digits = 9 if bits == 24 else 17
    worst = max(abs(weight(x) * rest(x)) for x in linspace(low, high, 500))
    print(f"{name} degree {degree}: 2^{float(mp.log(best, 2)):.1f}, rounded 2^{float(mp.log(worst, 2)):.1f}")
    for k in reversed(fixed):
        print("   ", mp.nstr(k, digits), end=",")
    print()


def exp_tail(x):
    return (expm1(x) - x) / x**2 if abs(x) > 1e-8 else mpf(1) / 2 + x / 6


def ln_tail(x):
    return (log1p(x) - x + x**2 / 2) / x**3 if abs(x) > 1e-8 else mpf(1) / 3 - x / 4


def atanh_tail(z):
    s = sqrt(z)
    return (2 * atanh(s) / s - 2) / z if z > 1e-12 else mpf(2) / 3 + 2 * z / 5


if __name__ == "__main__":
    near = lambda x: sqrt(x**2 + mpf("0.01"))
    for bits, degree in [(24, 5), (53, 9)]:
        fit("exp", exp_tail, near, mpf("-0.34665"), mpf("0.34665"), degree, bits)
    square = lambda x: x**2 + mpf("0.002")
    fit("ln", ln_tail, square, sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1, 8, 24)
    fit("ln", atanh_tail, lambda z: z + mpf("0.0001"), mpf(0), mpf("0.02944"), 6, 53)
