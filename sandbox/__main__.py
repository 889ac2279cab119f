"""The command line of the local run, for the Makefile: ``python -m sandbox run|up|query|tables|down``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from report.athena import QueryFailed
from sandbox import SandboxError, local
from sandbox.console import Console
from sandbox.query import FORMATS

STATE_DIR = Path(__file__).resolve().parents[1] / ".local"
"""Default directory for all files of the local run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command in ("run", "up") and options.source == "live" and not options.tickers:
        parser.error("SOURCE=live needs some TICKERS, such as TICKERS=PETR4,HGLG11")
    if options.command == "query" and options.name and options.sql:
        parser.error("give QUERY or SQL, not both")
    if options.command == "query" and options.ticker and not options.name:
        parser.error("TICKER is for a saved query about one asset: QUERY=serie-de-um-papel TICKER=VALE3")
    # Set a handler for SIGINT too, because a shell starts background commands with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    console = Console()
    try:
        if options.command == "run":
            local.run(options.state_dir, _source(options), console)
        elif options.command == "up":
            local.up(options.state_dir, _source(options), console)
        elif options.command == "query":
            local.query(
                options.state_dir,
                console,
                name=options.name,
                ticker=options.ticker,
                sql=options.sql,
                form=options.format,
            )
        elif options.command == "tables":
            local.tables(options.state_dir, console)
        else:
            local.down(options.state_dir, console)
    except (SandboxError, QueryFailed) as failure:
        console.settle()
        print(failure if options.command in ("query", "tables") else f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.settle()
        print("\nInterrupted: all processes that this command started have ended.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR, help="default: %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {"run": "run one day and end", "up": "run one day and keep the lake running"}.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--source", choices=["sample", "live"], default="sample")
        command.add_argument("--tickers", default="", help="tickers for the live site, such as PETR4,HGLG11")
    query = commands.add_parser("query", help="query the lake of `up`, or list the saved queries")
    query.add_argument("--name", default="", help="a query that is saved in the workgroup")
    query.add_argument("--ticker", default="", help="ticker for a saved query about one asset")
    query.add_argument("sql", nargs="?", default="", help="a query of your own, @file or - (standard input)")
    query.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")
    commands.add_parser("tables", help="list the lake's tables, views and columns")
    commands.add_parser("down", help="end the processes that `up` left running, and remove their data")
    return parser


def _source(options: argparse.Namespace) -> local.Source:
    tickers = tuple(ticker.strip().upper() for ticker in options.tickers.split(",") if ticker.strip())
    return local.Source(live=options.source == "live", tickers=tickers)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Treat a signal as an interrupt, so that all started processes are stopped on exit."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
