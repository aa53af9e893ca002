"""A cluster is opened, or one clear line says why not."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import socket
import sys

import pytest

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.tasks import cluster
from gmmcompare.runtime.tasks.cluster import open_client


@pytest.fixture(scope="module")
def client():
    with open_client(2, None, memory_limit="500MB") as opened:
        yield opened


def complaint(workers=None, scheduler=None) -> str:
    with pytest.raises(InputError) as caught, open_client(workers, scheduler):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_workers_are_processes_of_one_thread_on_this_machine_only(client):
    assert list(client.nthreads().values()) == [1, 1]
    assert len({os.getpid(), *client.run(os.getpid).values()}) == 3
    assert set(client.run(os.environ.get, "OMP_NUM_THREADS").values()) == {"1"}
    assert all(address.startswith("tcp://127.0.0.1:") for address in client.nthreads())
    limits = {w["memory_limit"] for w in client.scheduler_info(n_workers=-1)["workers"].values()}
    assert limits == {500_000_000}


def test_a_running_cluster_is_used_and_left_running(client, caplog):
    with caplog.at_level(logging.WARNING, "gmmcompare"):
        with open_client(None, client.scheduler.address) as second:
            assert second.submit(sum, [1, 2]).result() == 3
            assert set(second.nthreads()) == set(client.nthreads())
        assert client.submit(sum, [2, 2]).result() == 4
    assert not caplog.records


def test_other_versions_are_a_warning(client, caplog, monkeypatch):
    here = importlib.metadata.version

    def version(name: str) -> str:
        return "0.0.1" if name == "numba" else here(name)

    monkeypatch.setattr(cluster, "_version_here", version)
    address = client.scheduler.address
    with caplog.at_level(logging.WARNING, "gmmcompare"), open_client(None, address):
        pass
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2  # one for each worker
    assert all(f"has numba {here('numba')}, here is 0.0.1: draws may differ" in s for s in said)


def test_workers_without_this_package_are_refused(client, monkeypatch):
    monkeypatch.setattr(cluster, "_MUST_MATCH", ("gmmcompare", "no-such-package"))
    monkeypatch.setattr(cluster, "_version_here", lambda name: "1.0")
    said = complaint(scheduler=client.scheduler.address)
    assert "has no no-such-package; install gmmcompare 1.0 there as here" in said


def test_both_options_neither_and_no_worker():
    assert "give one of them" in complaint(2, "tcp://127.0.0.1:1")
    assert "give one of them" in complaint()
    assert complaint(0) == "--workers 0: give 1 or more"


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        said = complaint(scheduler=address)
    assert said.startswith(f"--scheduler {address}: cannot be reached (Timed out")
    assert "after 1 s" in said


@pytest.mark.parametrize("address", ["somewhere", "carrier-pigeon://1"])
def test_an_address_that_is_none(address):
    assert complaint(scheduler=address).startswith(f"--scheduler {address}: cannot be reached (")


def test_a_scheduler_without_workers():
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0") as empty:
        said = complaint(scheduler=empty.scheduler_address)
    assert "has no workers; start some by `dask worker tcp://" in said


@pytest.mark.slow
def test_dask_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'gmmcompare[dask]'" in complaint(2)
