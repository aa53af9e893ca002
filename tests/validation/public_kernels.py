"""Samplers of univariate Gaussian mixtures as found in public code, and what each samples.

Found by searching public repositories, lecture notes and blogs in November 2026. No code is
copied: each is written anew, in our contract, from what it computes, with the order of its steps.
Multivariate ones are taken in one dimension. Where a sweep ends with the allocations, ours begins
with them: the same chain, seen one step earlier, needs no allocations from the sweep before.
Hyperparameters that the original sets by hand, or from the data, are those of ``priors`` where we
have one; a prior mean of 0 becomes ``mean_loc``. What the originals store but do not feed back is
left out. Found as well and left out: samplers that carry the allocations themselves along
(collapsed ones, Dirichlet processes, numbers of components that vary), and code that does not run.

``truth`` is derived by hand from the formulas, and ``why`` is the derivation in a line. A sampler
that returns NaN for a component without observations counts as wrong even where it is right
otherwise: its authors had data in which that does not happen.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # also when this is not run by pytest

from public_common import KINDS, Public
from public_conjugate import CONJUGATE_ROWS
from public_known import KNOWN_ROWS
from public_other_priors import OTHER_ROWS
from public_ours import OUR_ROWS
from public_two import TWO_ROWS

__all__ = ["KINDS", "PUBLIC", "ROWS", "TWO_ROWS", "Public"]

ROWS = (*OUR_ROWS, *CONJUGATE_ROWS, *OTHER_ROWS, *KNOWN_ROWS, *TWO_ROWS)
PUBLIC = {kernel.name: kernel for kernel in ROWS}
