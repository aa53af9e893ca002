"""Information criteria at the maximum of the likelihood. Priors do not enter."""

from __future__ import annotations

from dataclasses import dataclass

from gmmcompare.fitting.fit import Fit


@dataclass(frozen=True)
class Information:
    """Criteria of a maximum-likelihood fit; smaller is better.

    AIC (Akaike 1974) and BIC (Schwarz 1978) are minus twice the log-likelihood plus 2 and log N for
    each free parameter; ICL (Biernacki, Celeux and Govaert 2000) adds to BIC twice the entropy of
    the allocations, and so asks for clusters that are apart.
    """

    log_lik: float
    n_free: int
    aic: float
    bic: float
    icl: float


def information(fit: Fit) -> Information:
    """Return the criteria that the EM engine kept with its fit."""
    aic, bic, icl = (float(fit.extra(name)) for name in ("aic", "bic", "icl"))
    log_lik = float(fit.stat("log_lik").max())
    return Information(log_lik, 3 * fit.K - 1, aic, bic, icl)
