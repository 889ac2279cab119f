"""What ends a run before its day is complete: each with a status of its own, and a text for a person."""

from __future__ import annotations


class CollectorError(Exception):
    """The run has ended; the text says why, and what to do. Pages that had come are archived."""

    status = 1


class SiteRefuses(CollectorError):
    """The site refuses this client: three different assets in a row, or with 429, or both listings."""

    status = 3


class Incomplete(CollectorError):
    """Some page did not come, or S3 could not be reached, for as long as was waited."""

    status = 4


class ListingUnreadable(CollectorError):
    """What came as a listing names no assets."""

    status = 5


class NoCredentials(CollectorError):
    """AWS credentials are missing, expired or not known to AWS."""

    status = 6


class AccessDenied(CollectorError):
    """The credentials may not do what a collector does."""

    status = 7


class WrongClock(CollectorError):
    """The clock of this machine and that of S3 differ."""

    status = 8


class WrongBucket(CollectorError):
    """The bucket is not a lake's work bucket."""

    status = 9


class TooLate(CollectorError):
    """The site shows a later session: the day's pages can no longer be had."""

    status = 10


class StorageFailed(CollectorError):
    """S3 answered with something that no other of these is about."""

    status = 11
