"""The site of the trial as a separate process: ``python -m sandbox.site --port 8080``.

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
from zoneinfo import ZoneInfo

from sandbox.site.server import SiteServer
from sandbox.site.trial import trial_assets


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the site until a signal arrives or the pipe closes."""
    options = _parser().parse_args(arguments)
    day = options.day or int(datetime.now(ZoneInfo("America/Sao_Paulo")).strftime("%Y%m%d"))
    assets = trial_assets(day)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=_wait_for_parent, args=(ended,), daemon=True).start()
    with SiteServer(assets, port=options.port) as site:
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
    return parser


if __name__ == "__main__":
    sys.exit(main())
