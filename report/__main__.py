"""``python -m report``: writes the lake's latest day as a web page or as files for a spreadsheet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from report.athena import Athena, QueryFailed
from report.history import DAYS
from report.html_page import page
from report.sheets import LOCALES, sheet
from report.snapshot import QUALITY_QUERY, latest_days, own_query, take_snapshot

WORKGROUP = "pynvest"
MOST_DAYS = 2500
"""About ten years."""


def main(arguments: Sequence[str] | None = None, *, session: boto3.Session | None = None) -> int:
    """Write the requested output and return the exit status.

    Parameters
    ----------
    arguments
        Command-line arguments; if None, the arguments of this process.
    session
        AWS session; if None, a session with the profile of the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        session = session or boto3.Session(profile_name=options.profile)
        athena = Athena(session.client("athena"), options.workgroup)
        if options.csv:
            written = write_sheets(athena, options.csv, options.out or Path("report.csv"))
        else:
            snapshot = take_snapshot(athena, session.client("s3"), options.days)
            out: Path = options.out or Path("report.html")
            out.write_text(page(snapshot, options.assets), encoding="utf-8")
            written = [out]
    except (BotoCoreError, ClientError, QueryFailed, OSError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path.resolve())
    return 0


def write_sheets(athena: Athena, locale: str, out: Path) -> list[Path]:
    """Write the latest day into two files, one for stocks and one for funds, and return their paths.

    Parameters
    ----------
    athena
        Runs queries in the lake's workgroup.
    locale
        One of `LOCALES`.
    out
        Base of both paths: ``day.csv`` gives ``day-acoes.csv`` and ``day-fiis.csv``.
    """
    days = latest_days(athena, own_query(athena, QUALITY_QUERY).database)
    paths = []
    for kind, rows in zip(("acoes", "fiis"), days, strict=True):
        path = out.with_stem(f"{out.stem}-{kind}")
        path.write_bytes(sheet(rows, LOCALES[locale]))
        paths.append(path)
    return paths


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m report",
        description="Write the lake's latest day as a page in Portuguese that is readable offline, or for a "
        "spreadsheet. The report asks Athena, with the rights of a reader (reader_policy_json).",
    )
    parser.add_argument("--workgroup", default=WORKGROUP, help="the lake's workgroup (default: %(default)s)")
    parser.add_argument("--profile", help="profile of the AWS configuration (or AWS_PROFILE)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where to write (default: report.html; day.csv becomes day-acoes.csv and day-fiis.csv)",
    )
    parser.add_argument(
        "--csv",
        choices=LOCALES,
        metavar="LOCALE",
        help="write every column for a spreadsheet instead, in the format of the locale",
    )
    parser.add_argument(
        "--papers",
        dest="assets",
        type=_tickers,
        default=[],
        metavar="PETR4,HGLG11",
        help="at most five papers, whose series the page draws (default: three stocks and two funds that "
        "trade the most)",
    )
    parser.add_argument(
        "--days",
        type=_days,
        default=DAYS,
        metavar="N",
        help=f"number of run days in the histories, 1 to {MOST_DAYS} (default: %(default)s)",
    )
    return parser


def _tickers(text: str) -> list[str]:
    tickers = [ticker.strip().upper() for ticker in text.split(",") if ticker.strip()]
    if not 1 <= len(tickers) <= 5:
        raise argparse.ArgumentTypeError(f"{text!r}, expected one to five tickers")
    return tickers


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from 1 to {MOST_DAYS}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
