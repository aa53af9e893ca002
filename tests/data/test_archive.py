"""Fetching from the NASA Exoplanet Archive, against a server on this machine that misbehaves."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gmmcompare import data
from gmmcompare.data import archive
from gmmcompare.runtime.errors import InputError

N_ROWS = 6000


def table(n_rows: int = N_ROWS) -> bytes:
    """A table as the archive sends it: made up, quoted names, empty cells."""
    more = ",5700" * (len(archive.COLUMNS) - 5)
    rows = (
        f'"Made up {i} b",{0.05 + i / 5000:.6f},,{i % 90}.5,5700{more}' for i in range(n_rows - 1)
    )
    return "\n".join([",".join(archive.COLUMNS), *rows, f'"No radius b",,1.0,,{more}', ""]).encode()


TABLE = table()
HTML = b"<!DOCTYPE html>\n<html><body>Down for maintenance</body></html>\n"

Answer = Callable[[BaseHTTPRequestHandler], None]


def sends(body: bytes, status: int = 200, length: int | None = None) -> Answer:
    """An answer whose Content-Length may claim more than is sent."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "text/csv")
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def sends_without_length(body: bytes) -> Answer:
    """An answer that ends where the connection ends, so that nothing tells whether it is whole."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class Service:
    """A TAP service that gives the queued answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [sends(TABLE)]
        self.requests: list[str] = []
        self.released = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.requests.append(self.path)
                answers = service.answers
                (answers.pop(0) if len(answers) > 1 else answers[0])(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/TAP/sync"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def hangs_after(self, body: bytes) -> Answer:
        """An answer that falls silent until the test is over."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if body:
                handler.send_response(200)
                handler.end_headers()
                handler.wfile.write(body)
            self.released.wait(30)

        return answer

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GMMCOMPARE_CACHE", str(folder))
    return folder


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[Service]:
    service = Service()
    monkeypatch.setenv("GMMCOMPARE_ARCHIVE_URL", service.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(archive, "PAUSES", (0.01, 0.01))
    yield service
    service.close()


def everything_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_fetch_asks_once_and_records_what_it_got(service: Service, cache: Path) -> None:
    path = data.fetch("exoplanets")
    assert path.read_bytes() == TABLE
    [request] = service.requests
    asked = parse_qs(urlsplit(request).query)
    assert asked == {"query": [archive.QUERY], "format": ["csv"]}
    record = json.loads((cache / "exoplanets.json").read_text())
    age = datetime.now().astimezone() - datetime.fromisoformat(record.pop("date"))
    assert 0 <= age.total_seconds() < 60
    assert record == {
        "url": service.url,
        "query": archive.QUERY,
        "rows": N_ROWS,
        "sha256": hashlib.sha256(TABLE).hexdigest(),
    }
    assert sorted(everything_in(cache)) == ["exoplanets.csv", "exoplanets.json"]


def test_load_fetches_once_and_then_uses_the_cache(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    sample = data.load_sample("exoplanets", transform="log10")
    assert (sample.n, sample.origin.n_missing) == (N_ROWS - 1, 1)
    assert (sample.origin.name, sample.origin.simulated) == ("exoplanets", False)
    assert sample.origin.sha256 == hashlib.sha256(TABLE).hexdigest()
    assert sample.origin.label == "log10 planet radius (Jupiter radii)"
    assert data.load_sample("exoplanets", transform="log10", offline=True) == sample
    assert data.load_sample("exoplanets", transform="log10") == sample
    assert len(service.requests) == 1
    assert not caplog.records


def test_list_and_describe_show_the_snapshot(service: Service) -> None:
    snapshot = archive.download()
    listing = {one.dataset.name: one for one in data.list_datasets()}["exoplanets"]
    assert listing.status == f"cached ({snapshot.date[:10]}, 6,000 rows)"
    about = data.describe("exoplanets")
    assert (about.snapshot, about.path, about.listing) == (snapshot, snapshot.path, listing)
    assert about.sample is not None
    assert about.sample.origin.source.endswith(snapshot.date)


def test_fetch_again_replaces_the_copy(service: Service) -> None:
    archive.download()
    service.answers = [sends(table(N_ROWS + 40))]
    assert archive.download().rows == N_ROWS + 40
    fresh = archive.cached()
    assert fresh is not None
    assert fresh.rows == N_ROWS + 40


def test_busy_service_is_asked_again(service: Service) -> None:
    service.answers = [sends(HTML, status=503), sends(TABLE)]
    assert archive.download().rows == N_ROWS
    assert len(service.requests) == 2


def test_refused_query_is_not_repeated(service: Service) -> None:
    service.answers = [sends(b"", status=404)]
    with pytest.raises(InputError, match=r"refused the query \(HTTP 404\)"):
        archive.download()
    assert len(service.requests) == 1


def cut(at: int) -> bytes:
    """The table cut off near byte `at`, in the middle of a number that ends its row."""
    end = TABLE.index(b"\n", at)
    return TABLE[: end - 2]


BAD_ANSWERS = [
    pytest.param(sends(HTML, status=503), ["busy (HTTP 503", "asked 3 times"], id="503"),
    pytest.param(sends(HTML), ["HTML or XML"], id="HTML"),
    pytest.param(sends(b""), ["is empty"], id="empty"),
    pytest.param(sends(b"pl_name,radius\na,1\n"), ["no column pl_radj"], id="other table"),
    pytest.param(
        sends(TABLE[:100_000], length=len(TABLE)), ["connection broke"], id="fewer bytes than said"
    ),
    pytest.param(
        sends_without_length(cut(200_000)[:-10]),
        [f"header has {len(archive.COLUMNS)} cells and row"],
        id="cut in a row",
    ),
    pytest.param(
        sends_without_length(cut(len(TABLE) - 60)),
        ["cut off in row", "no end of line"],
        id="cut in last cell",
    ),
    pytest.param(sends(table(300)), ["300 rows", "at least"], id="few rows"),
]


@pytest.mark.parametrize(("answer", "words"), BAD_ANSWERS)
def test_bad_answer_is_refused_and_the_old_copy_kept(
    service: Service, cache: Path, answer: Answer, words: list[str]
) -> None:
    archive.download()
    before = everything_in(cache)
    service.answers = [answer]
    with pytest.raises(InputError) as caught:
        data.fetch("exoplanets")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{service.url}: ")
    assert "again" in message
    for word in words:
        assert word in message
    assert everything_in(cache) == before
    assert not data.load_sample("exoplanets").origin.simulated


@pytest.mark.parametrize(("answer", "words"), BAD_ANSWERS)
def test_bad_first_answer_leaves_nothing_and_the_stand_in_runs(
    service: Service,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    words: list[str],
) -> None:
    service.answers = [answer]
    assert data.load_sample("exoplanets").origin.simulated
    [notice] = caplog.records
    for word in (*words, "SIMULATED", "gmmcompare data fetch exoplanets"):
        assert word in notice.getMessage()
    assert everything_in(cache) == {}


def test_a_copy_that_lost_rows_is_refused(service: Service) -> None:
    archive.download()
    service.answers = [sends(table(N_ROWS * 98 // 100))]
    with pytest.raises(InputError, match=r"5,880 rows where at least 5,940 are expected"):
        archive.download()


@pytest.mark.parametrize("start", [b"", TABLE[:5000]], ids=["before the answer", "in its midst"])
def test_silent_service_times_out(
    service: Service, cache: Path, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(archive, "READ_TIMEOUT", 0.2)
    service.answers = [service.hangs_after(start)]
    began = time.monotonic()
    with pytest.raises(InputError, match=r"no answer within 0.2 seconds"):
        archive.download()
    assert time.monotonic() - began < 10
    assert everything_in(cache) == {}


def damage_csv(cache: Path) -> None:
    (cache / "exoplanets.csv").write_bytes(TABLE[: TABLE.index(b"\n", 150_000) + 1])


def damage_record(cache: Path) -> None:
    (cache / "exoplanets.json").write_text("{")


def lose_record(cache: Path) -> None:
    (cache / "exoplanets.json").unlink()


DAMAGES = pytest.mark.parametrize("damage", [damage_csv, damage_record, lose_record])


@DAMAGES
def test_damaged_copy_is_noticed(
    service: Service, cache: Path, damage: Callable[[Path], None]
) -> None:
    archive.download()
    damage(cache)
    with pytest.raises(InputError, match="run: gmmcompare data fetch exoplanets") as caught:
        data.load_sample("exoplanets", offline=True)
    assert str(cache) in str(caught.value)
    assert "\n" not in str(caught.value)
    statuses = {one.dataset.name: one.status for one in data.list_datasets()}
    assert statuses["exoplanets"] == "damaged"
    with pytest.raises(InputError):
        data.describe("exoplanets")


@DAMAGES
def test_damaged_copy_is_fetched_again(
    service: Service,
    cache: Path,
    damage: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    archive.download()
    damage(cache)
    assert data.load_sample("exoplanets").n == N_ROWS - 1
    [notice] = caplog.records
    assert notice.levelno == logging.WARNING
    assert "fetching it again" in notice.getMessage()
    assert archive.cached() is not None


def test_damaged_copy_that_cannot_be_fetched_again_is_an_error(
    service: Service, cache: Path
) -> None:
    """Never the stand-in: whoever fetched the planets once expects planets."""
    archive.download()
    damage_csv(cache)
    service.answers = [sends(HTML)]
    with pytest.raises(InputError, match="HTML"):
        data.load_sample("exoplanets")


def test_cache_that_cannot_be_written(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GMMCOMPARE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match=r"the cache cannot be written: .*GMMCOMPARE_CACHE"):
        data.fetch("exoplanets")


def test_cache_is_the_users_unless_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GMMCOMPARE_CACHE", raising=False)
    assert archive.cache_folder().name == "gmmcompare"
