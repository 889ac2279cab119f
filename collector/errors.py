"""Errors that end a run before its day is complete. Each error class has an exit status and a text."""

from __future__ import annotations


class CollectorError(Exception):
    """An error that ends the run; its text gives the reason and a remedy. All received pages are archived."""

    status = 1


class SiteRefuses(CollectorError):
    """The site refused three different assets in a row, answered with 429, or refused both listings."""

    status = 3


class Incomplete(CollectorError):
    """A listing or a page is still missing after the last retry, or S3 cannot be reached."""

    status = 4


class ListingUnreadable(CollectorError):
    """A listing from the site cannot be read."""

    status = 5


class NoCredentials(CollectorError):
    """AWS credentials are missing, expired or unknown to AWS."""

    status = 6


class AccessDenied(CollectorError):
    """The credentials lack a permission that a collector needs."""

    status = 7


class WrongClock(CollectorError):
    """The clocks of this machine and of S3 differ too much."""

    status = 8


class WrongBucket(CollectorError):
    """The bucket is not a lake's work bucket."""

    status = 9


class TooLate(CollectorError):
    """The site shows a later session: the day's pages are no longer available."""

    status = 10


class StorageFailed(CollectorError):
    """S3 gave an error that no other class of this module covers."""

    status = 11
