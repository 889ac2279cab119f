"""``python -m collector``: collects the site's pages of the latest day into the lake's work bucket.

You can stop the command at any moment (Ctrl-C). The next start fetches the pages that are still missing.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

import boto3
from botocore.exceptions import BotoCoreError

from collector.bucket import Bucket
from collector.collect import Collection
from collector.collected_day import last_day, named_day
from collector.errors import CollectorError, NoCredentials
from collector.site_access import DEFAULT_HEADERS, DEFAULT_URL, Site
from fundamentus_site.client import UNSETTABLE_HEADERS

BUCKET_VARIABLE = "PYNVEST_WORK_BUCKET"
INTERRUPTED = 130


def utc_now() -> datetime:
    """Return the current UTC time of this machine's clock."""
    return datetime.now(timezone.utc)


def main(
    arguments: Sequence[str] | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
    session: boto3.Session | None = None,
) -> int:
    """Collect a day's pages and return the exit status.

    Parameters
    ----------
    arguments
        Command-line arguments; if None, the arguments of this process.
    now
        Returns the current time.
    session
        Source of AWS credentials; if None, the profile of the command line.
    """
    for stream in (sys.stdout, sys.stderr):  # a console may not support every character of a page
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.bucket:
        parser.error(f"which bucket? Give --bucket, or {BUCKET_VARIABLE} in the environment")
    try:
        day = last_day(now()) if options.day is None else named_day(options.day, now())
    except ValueError as error:
        parser.error(str(error))
    try:
        bucket = Bucket(session or _session(options.profile), options.bucket)
        bucket.check_clock(day.number, now())
        collection = Collection(
            Site(options.site, {**DEFAULT_HEADERS, **dict(options.header)}, options.threads, now),
            bucket,
            day,
            patience_seconds=60 * options.patience,
            now=now,
            say=_say,
        )
        if not options.again:
            collection.load()
        collection.bring()
    except CollectorError as error:
        print(f"collector: {error}", file=sys.stderr, flush=True)
        return error.status
    except KeyboardInterrupt:
        print(
            "collector: ended; all received pages are archived. The next start asks for the missing pages",
            file=sys.stderr,
            flush=True,
        )
        return INTERRUPTED
    return 0


def _session(profile: str | None) -> boto3.Session:
    try:
        return boto3.Session(profile_name=profile)
    except BotoCoreError as error:
        raise NoCredentials(f"the AWS configuration cannot be used: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m collector",
        description="Bring the site's pages of the latest day into the lake's work bucket. "
        "Archived pages are not requested again.",
    )
    parser.add_argument(
        "--bucket",
        default=os.environ.get(BUCKET_VARIABLE),
        help=f"the lake's work bucket: the module's output work_bucket (or {BUCKET_VARIABLE})",
    )
    parser.add_argument("--profile", help="profile of the AWS configuration (or AWS_PROFILE)")
    parser.add_argument(
        "--day",
        type=_day,
        metavar="YYYYMMDD",
        help="a weekday of the last week, if today is a holiday of the exchange: the site then still "
        "shows its session (default: the last weekday whose 18:45 has passed in Sao Paulo, until 10:00 of "
        "the next)",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="request all listings and pages, also the archived ones",
    )
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'NAME: VALUE'",
        help="a request header that replaces the default, such as 'User-Agent: ...'; repeatable",
    )
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 9),
        default=2,
        help="maximum number of concurrent requests (default: 2)",
    )
    parser.add_argument(
        "--patience",
        type=_minutes,
        default=30.0,
        metavar="MINUTES",
        help="how long to wait for the site or the connection before giving up (default: 30)",
    )
    parser.add_argument(
        "--site", type=_address, default=DEFAULT_URL, help=f"address of the site (default: {DEFAULT_URL})"
    )
    return parser


def _header(text: str) -> tuple[str, str]:
    name, _, value = (part.strip() for part in text.partition(":"))
    # HTTP headers allow only these characters. Curly quotes are not allowed.
    if not re.fullmatch("[!-~]+", name) or not re.fullmatch("[ -~\xa0-\xff]+", value):
        raise argparse.ArgumentTypeError(
            f"{text!r}, expected a name, a colon and a value, in Latin letters and straight quotes"
        )
    if name.lower() in UNSETTABLE_HEADERS:
        raise argparse.ArgumentTypeError(
            f"the header {name} decides whether an answer can be read: leave it out"
        )
    # Header names are case-insensitive, but a dict's keys are not: use the default's spelling of the name.
    return next((known for known in DEFAULT_HEADERS if known.lower() == name.lower()), name), value


def _day(text: str) -> int:
    # Accept ASCII digits only, because int() also accepts other digits, signs and underscores.
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a day as YYYYMMDD, such as 20261127")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 <= minutes < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number of minutes, such as 30")
    return minutes


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r}, expected an address with http:// or https://")
    return text


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    # A service manager sends SIGTERM: end as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
