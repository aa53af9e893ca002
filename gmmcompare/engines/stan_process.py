"""The process in which Stan's compiler and chains run (see `engines.stan`), as a script.

Its argument is a folder; ``job.json`` there says what to do. It prints how far the chains are.
"""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import json
import re
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

FUNCTION = "stan::services::sample::hmc_nuts_diag_e_adapt"


async def _sampled(job: Mapping[str, Any]) -> list[list[dict[str, float]]]:
    """Run the chains, as many at a time as there are cores; return each one's draws by name."""
    from httpstan import cache
    from httpstan.services_stub import call

    init, same = job["init"], {k: v for k, v in job.items() if k not in ("init", "model")}
    done = [0.0] * len(init)

    async def one(chain: int) -> list[dict[str, float]]:
        def heard(message: bytes) -> None:
            for now, end in re.findall(rb"Iteration:\s*(\d+) / (\d+)", message):
                done[chain] = int(now) / int(end)
                print(f"done {sum(done) / len(done):.4f}", flush=True)

        # A name that none has had: what httpstan has under a name it does not sample again.
        fit = f"{job['model']}/fits/{uuid.uuid4().hex}"
        where = {"init": init[chain], "chain": chain + 1, "save_warmup": False}
        try:
            await call(FUNCTION, job["model"], fit, heard, **same, **where)
            text = gzip.decompress(cache.load_fit(fit)).decode()
        finally:
            cache.fit_path(fit).unlink(missing_ok=True)
        messages = [json.loads(line) for line in text.splitlines() if '"sample"' in line]
        return [m["values"] for m in messages if "lp__" in m["values"]]

    return await asyncio.gather(*map(one, range(len(init))))


def _work(folder: Path) -> None:
    """Compile the program that the folder's job names, or run its chains and write their draws."""
    from httpstan import cache, models

    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    if "model" in job:
        chains = asyncio.run(_sampled(job))
        drawn = {n: np.array([[d[n] for d in c] for c in chains]) for n in chains[0][0]}
        np.savez(folder / "draws.npz", **drawn)  # type: ignore[arg-type]
        return
    name = models.calculate_model_name(job["build"])
    place = cache.model_directory(name)
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be compiling it
        try:
            models.import_services_extension_module(name)
        except KeyError:
            asyncio.run(models.build_services_extension_module(job["build"], job["flags"]))


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
