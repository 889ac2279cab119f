"""The sample site as a separate process: ``python -m sandbox.site --port 8080``.

``GET /_control`` returns the counts of the site's requests (``/_control?log`` adds each request). ``POST
/_control`` sets the site's faults; see `SiteServer.control`.

If standard input is a pipe, the site stops when the parent process ends, because the pipe then closes.
"""

from __future__ import annotations

import argparse
import os
import signal
import stat
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sandbox.site.assets import make_assets
from sandbox.site.server import SiteServer
from sandbox.site.trial import trial_assets


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the site until a signal arrives or the pipe closes."""
    options = _parser().parse_args(arguments)
    day = options.day or int(datetime.now(ZoneInfo("America/Sao_Paulo")).strftime("%Y%m%d"))
    make = (
        trial_assets
        if options.trial
        else partial(make_assets, acoes=options.acoes, fiis=options.fiis, seed=options.seed)
    )
    assets = make(day)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=_wait_for_parent, args=(ended,), daemon=True).start()
    with SiteServer(assets, latency_ms=options.latency_ms, port=options.port) as site:
        print(f"{len(assets)} assets of {day} at {site.base_url}", flush=True)
        ended.wait()
    return 0


def _wait_for_parent(ended: threading.Event) -> None:
    leads_its_group = os.getpgrp() == os.getpid()
    if leads_its_group and stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        while os.read(sys.stdin.fileno(), 1024):
            pass
        ended.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox.site", description="A sample of the Fundamentus site.")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) for any free port")
    parser.add_argument("--day", type=int, help="day of the pages, YYYYMMDD; today in São Paulo if not given")
    parser.add_argument(
        "--trial", action="store_true", help="the assets of the trial, which look like real ones"
    )
    parser.add_argument("--acoes", type=int, default=60, help="how many stocks")
    parser.add_argument("--fiis", type=int, default=40, help="how many funds")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other values")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="milliseconds per page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
