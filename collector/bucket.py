"""A collector's access to the lake's work bucket: put, get and list under ``pages/``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from collector.errors import (
    AccessDenied,
    CollectorError,
    Incomplete,
    NoCredentials,
    StorageFailed,
    WrongBucket,
    WrongClock,
)
from pynvest_lake.archive import Archive, ArchivedPage, ArchiveObject, DamagedArchive, prefix
from pynvest_lake.aws import CLIENT_CONFIG
from pynvest_lake.ledger import moment_text

CLOCKS_MAY_DIFFER = timedelta(minutes=5)

# The Terraform module's name for the bucket: <name_prefix>-work-<account>-<region>.
_WORK_BUCKET = re.compile(r"[a-z0-9.-]+-work-[0-9]{12}-([a-z]{2}(?:-[a-z]+)+-[0-9])")
_CREDENTIALS_LACKING = (
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
_CREDENTIALS_REFUSED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
}


class Bucket:
    """A work bucket. Each AWS error is raised as a `CollectorError`.

    Parameters
    ----------
    session
        Source of AWS credentials.
    name
        Name of the bucket.

    Raises
    ------
    WrongBucket
        The name is not a name of a lake's work bucket.
    """

    def __init__(self, session: boto3.Session, name: str) -> None:
        match = _WORK_BUCKET.fullmatch(name)
        if match is None:
            raise WrongBucket(
                f"{name!r} is not the name of a lake's work bucket, which ends in "
                "-work-<account>-<region>: see the module's output work_bucket"
            )
        self.name = name
        with self._errors():
            self._s3: Any = session.client("s3", region_name=match[1], config=CLIENT_CONFIG)
        self._archive = Archive(self._s3, name)

    def check_clock(self, day: int, now: datetime) -> None:
        """Check that the credentials allow listing a day's pages, and compare this machine's clock with S3's.

        Parameters
        ----------
        day
            The day, ``YYYYMMDD``.
        now
            The time of this machine's clock.

        Raises
        ------
        WrongClock
            This machine's clock and S3's clock differ by more than five minutes.
        """
        with self._errors():
            answer = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix(day), MaxKeys=1)
        said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if said is None:
            raise StorageFailed("S3's answer has no time, so this machine's clock cannot be checked")
        off = now - parsedate_to_datetime(said)
        if abs(off) > CLOCKS_MAY_DIFFER:
            raise WrongClock(
                f"this machine's clock says {moment_text(now)}, S3's clock says {said}: pages would get "
                "a wrong day. Set the clock, best by NTP, and start again"
            )

    def keys(self, day: int) -> list[str]:
        """Return the keys of the objects that hold a day's pages."""
        with self._errors():
            return self._archive.keys(day)

    def read(self, key: str) -> ArchiveObject:
        """Return the pages of an object."""
        with self._errors():
            try:
                return self._archive.read(key)
            except DamagedArchive as error:
                raise StorageFailed(str(error)) from error

    def put(self, day: int, pages: Sequence[ArchivedPage]) -> None:
        """Archive pages as one object."""
        with self._errors():
            self._archive.put(day, pages)

    def put_manifest(self, day: int) -> bool:
        """Put a manifest of the day's archived objects; return False if the same manifest exists."""
        with self._errors():
            return self._archive.put_manifest(day, self._archive.keys(day))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._said(error) from error
        except _CREDENTIALS_LACKING as error:
            raise NoCredentials(
                f"there are no AWS credentials: {error}. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or name a profile with --profile"
            ) from error
        except (ConnectionError, HTTPClientError) as error:
            raise Incomplete(f"S3 cannot be reached: {error}") from error
        except BotoCoreError as error:
            raise StorageFailed(f"S3 cannot be asked: {error}") from error

    def _said(self, error: ClientError) -> CollectorError:
        code, said = error.response["Error"].get("Code", ""), str(error)
        if code in _CREDENTIALS_REFUSED:
            return NoCredentials(
                f"AWS rejects the credentials, which may have expired: {said}. Renew them and "
                "start again: the collector continues where it stopped"
            )
        if code == "RequestTimeTooSkewed":
            return WrongClock(f"AWS says that this machine's clock is wrong: {said}. Set it, best by NTP")
        if code == "NoSuchBucket":
            return WrongBucket(
                f"there is no bucket {self.name}: the module's output work_bucket has its name"
            )
        if code in ("AccessDenied", "403"):
            return AccessDenied(
                f"these credentials may not use pages/ in {self.name}: {said}. Attach the policy of the "
                "module's output collector_policy_json to their user or role"
            )
        return StorageFailed(f"S3 answered with {code}: {said}")
