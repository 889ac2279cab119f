"""The sample site of the local run as a process: ``python -m sandbox.site --port 8080 --day 20261123``.

If standard input is a pipe, the site ends when the parent process ends, because the pipe then closes.
"""

from __future__ import annotations

import argparse
import threading

from sandbox.process import end_with_parent
from sandbox.site.server import SiteServer
from sandbox.site.trial import trial_assets


def main() -> None:
    """Serve the site until a signal ends the process, or the pipe closes."""
    parser = argparse.ArgumentParser(prog="sandbox.site", description="A sample of the Fundamentus site.")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) for any free port")
    parser.add_argument("--day", type=int, required=True, help="day of the pages, YYYYMMDD")
    options = parser.parse_args()
    end_with_parent()
    assets = trial_assets(options.day)
    with SiteServer(assets, port=options.port) as site:
        print(f"{len(assets)} assets of {options.day} at {site.base_url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
