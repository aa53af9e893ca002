"""The NASA Exoplanet Archive's table of planets, fetched once and kept with its provenance.

The environment variable ``GMMCOMPARE_CACHE`` moves the cache (else the user's cache folder), and
``GMMCOMPARE_ARCHIVE_URL`` the service, for a mirror or a test.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gmmcompare.data.csvfile import CsvFile
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import cache_folder

if TYPE_CHECKING:
    from requests.exceptions import RequestException

SERVICE = "https://exoplanetarchive.ipac.caltech.edu/TAP/sync"
COLUMNS = (
    "pl_name",
    "pl_radj",
    "pl_bmassj",
    "pl_orbper",
    "st_teff",
    "pl_radjerr1",
    "pl_radjerr2",
    "pl_radjlim",
)
QUERY = f"select {','.join(COLUMNS)} from pscomppars"

# Connecting is quick or fails: without a network the stand-in must be at hand within seconds. The
# archive then takes up to half a minute over the query before it sends the first byte.
CONNECT_TIMEOUT = 4.0
READ_TIMEOUT = 60.0
# Seconds to wait before asking a busy service again.
PAUSES = (1.0, 2.0, 4.0)
_BUSY = frozenset({429, 500, 502, 503, 504})

# The archive passed 5,000 planets in 2022. It withdraws single planets, never a hundredth of them.
MIN_ROWS = 5000
MIN_SHARE_OF_LAST = 0.99

_REMEDY = "run: gmmcompare data fetch exoplanets"


@dataclass(frozen=True)
class Snapshot:
    """The archive's table as it stood on a date.

    Attributes
    ----------
    path : Path
        The CSV file in the cache.
    url, query, date : str
        What was asked, of which service, and when (UTC, ISO 8601).
    rows : int
    sha256 : str
    """

    path: Path
    url: str
    query: str
    date: str
    rows: int
    sha256: str


def cached() -> Snapshot | None:
    """Return the snapshot in the cache, or None where nothing was fetched yet.

    Raises
    ------
    InputError
        If the file in the cache is not the one that was fetched.
    """
    path = _csv_path()
    if not path.exists():
        return None
    record = path.with_suffix(".json")
    try:
        snapshot = Snapshot(path=path, **json.loads(record.read_text(encoding="utf-8")))
        whole = file_sha256(path) == snapshot.sha256
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{record}: the record beside the cached table cannot be read ({error}); {_REMEDY}"
        ) from None
    if not whole:
        raise InputError(
            f"{path}: the cached table is damaged (its SHA-256 is not the recorded one); {_REMEDY}"
        )
    return snapshot


def download() -> Snapshot:
    """Fetch the table and keep it in the cache, in place of an earlier one.

    Raises
    ------
    InputError
        If the service cannot be reached, stays busy or is too slow, or if what it sends is not the
        whole table. An earlier copy in the cache is then left as it was.
    """
    path = _csv_path()
    service = os.environ.get("GMMCOMPARE_ARCHIVE_URL", SERVICE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch-") as folder:
            fetched = Path(folder) / path.name
            _request(f"{service}?{urlencode({'query': QUERY, 'format': 'csv'})}", service, fetched)
            snapshot = Snapshot(
                path=path,
                url=service,
                query=QUERY,
                date=datetime.now(UTC).isoformat(timespec="seconds"),
                rows=_checked_rows(fetched, service),
                sha256=file_sha256(fetched),
            )
            _write_record(snapshot, fetched.with_suffix(".json"))
            fetched.replace(path)
            fetched.with_suffix(".json").replace(path.with_suffix(".json"))
    except OSError as error:
        raise InputError(
            f"{path.parent}: the cache cannot be written: {error.strerror}; "
            "set GMMCOMPARE_CACHE to a folder that can"
        ) from None
    return snapshot


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _csv_path() -> Path:
    return cache_folder() / "exoplanets.csv"


def _request(url: str, service: str, target: Path) -> None:
    """Ask the service, again after a pause while it says that it is busy."""
    import pooch
    from requests.exceptions import HTTPError, RequestException

    # Pooch would announce the temporary file and its hash.
    pooch.get_logger().setLevel("WARNING")
    # Without streaming (the table is small) requests itself closes a connection that fails midway.
    downloader = pooch.HTTPDownloader(timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), stream=False)
    for pause in (*PAUSES, None):
        try:
            pooch.retrieve(
                url, known_hash=None, fname=target.name, path=target.parent, downloader=downloader
            )
            return
        except HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status not in _BUSY:
                raise InputError(
                    f"{service}: refused the query (HTTP {status}); "
                    "is it the archive's TAP service?"
                ) from None
            if pause is None:
                raise InputError(
                    f"{service}: busy (HTTP {status}, asked {len(PAUSES) + 1} times); "
                    "try again later"
                ) from None
        except RequestException as error:
            raise InputError(
                f"{service}: {_reason(error)}; see whether the network is there and try again later"
            ) from None
        time.sleep(pause)


def _reason(error: RequestException) -> str:
    """Say in a few words why a request failed; the texts of requests fill several lines."""
    from requests.exceptions import ChunkedEncodingError, ConnectTimeout, Timeout

    if isinstance(error, ConnectTimeout):
        return f"no connection within {CONNECT_TIMEOUT:g} seconds"
    # A timeout in the middle of the body arrives as a ConnectionError.
    if isinstance(error, Timeout) or "Read timed out" in str(error):
        return f"no answer within {READ_TIMEOUT:g} seconds"
    if isinstance(error, ChunkedEncodingError):
        return "the connection broke before the whole table had arrived"
    return "no connection"


def _checked_rows(fetched: Path, service: str) -> int:
    """Return the number of rows of a downloaded table, or refuse it."""
    try:
        table = CsvFile.open(fetched)
    except InputError as error:
        # The file is gone in a moment, and the remedy for a file is none for a service.
        problem, _, _ = str(error).removeprefix(f"{fetched}: ").partition(";")
        raise InputError(
            f"{service}: did not send the whole table: {problem}; try again later"
        ) from None
    missing = [name for name in COLUMNS if name not in table.header]
    if missing:
        raise InputError(
            f"{service}: did not send the table asked for: no column {', '.join(missing)}; "
            "try again later"
        )
    if not fetched.read_bytes().endswith(b"\n"):
        raise InputError(
            f"{service}: the table was cut off in row {table.n_rows} (no end of line); "
            "try again later"
        )
    try:
        last = cached()
    except InputError:
        last = None
    fewest = max(MIN_ROWS, int(MIN_SHARE_OF_LAST * last.rows)) if last else MIN_ROWS
    if table.n_rows < fewest:
        raise InputError(
            f"{service}: sent {table.n_rows:,} rows where at least {fewest:,} are expected; "
            "try again later"
        )
    return table.n_rows


def _write_record(snapshot: Snapshot, record: Path) -> None:
    content = {key: value for key, value in asdict(snapshot).items() if key != "path"}
    record.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
