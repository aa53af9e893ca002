import numpy as np
import pymc as pm

X = np.column_stack([np.ones(20), np.linspace(-1, 1, 20)])
y = np.random.default_rng(3).normal(X @ [1.0, -2.0], 0.5)


def model():
    with pm.Model() as regression:
        beta = pm.Normal("beta", 0, 2, shape=2)
        s2 = pm.InverseGamma("s2", 3, 2)
        pm.Normal("y", X @ beta, pm.math.sqrt(s2), observed=y)
    return regression


def sweep(theta, y, rng):
    precision = X.T @ X / theta["s2"] + np.eye(2) / 4
    mean = np.linalg.solve(precision, X.T @ y / theta["s2"])
    root = np.linalg.cholesky(precision)
    beta = mean + np.linalg.solve(root.T, rng.normal(size=2))
    rate = 2 + ((y - X @ beta) ** 2).sum() / 2
    return {"beta": beta, "s2": rate / rng.gamma(3 + len(y) / 2)}
