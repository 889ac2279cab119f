"""A collector on moto and the sample site, with helpers for the collector's tests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import boto3
import pytest

from collector.__main__ import main
from moto_lake import REGION
from pynvest_lake.archive import Archive, ArchivedPage, Manifest
from sandbox.site import SiteServer

BUCKET = f"pynvest-work-123456789012-{REGION}"
DAY = 20201123  # a Monday
EVENING = datetime(2020, 11, 23, 22, 0, tzinfo=timezone.utc)  # 19:00 in São Paulo


class CollectorMachine:
    """A collector's machine, and the services that the machine reaches."""

    def __init__(self, site: SiteServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = site
        self.now = EVENING
        self.session = boto3.Session()
        self.s3 = boto3.client("s3", region_name=REGION)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3_is_ahead = timedelta()
        self.calls: list[tuple[str, str]] = []
        self._capsys = capsys
        self.session.events.register("after-call.s3", self._tell_the_time)
        self.session.events.register("before-parameter-build.s3", self._note)

    def _tell_the_time(self, parsed: Any, **kwargs: Any) -> None:
        moment = format_datetime(self.now + self.s3_is_ahead, usegmt=True)
        parsed["ResponseMetadata"]["HTTPHeaders"]["date"] = moment

    def _note(self, params: Any, model: Any, **kwargs: Any) -> None:
        self.calls.append((model.name, params.get("Key") or params["Prefix"]))

    def fail(self, operation: str, code: str, status: int = 403, *, after: int = 0) -> None:
        """Let an S3 operation fail with an error after `after` successful calls."""
        count = 0

        def answer(**kwargs: Any) -> tuple[Any, dict[str, Any]] | None:
            nonlocal count
            count += 1
            if count <= after:
                return None
            error = {"Error": {"Code": code, "Message": "as AWS says it"}, "ResponseMetadata": {}}
            return Answer(status), {
                **error,
                "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}},
            }

        self.session.events.register(f"before-call.s3.{operation}", answer)

    def run(self, *options: str, bucket: str = BUCKET) -> int:
        """Run the collector with waits of less than a second for a site that is down."""
        arguments = [f"--bucket={bucket}", f"--site={self.site.base_url}", "--patience=0.01", *options]
        return main(arguments, now=lambda: self.now, session=self.session)

    def said(self) -> str:
        """Return the collector's output since the last call."""
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return printed.out + printed.err

    @property
    def keys(self) -> list[str]:
        """Return the keys of all objects in the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    @property
    def archived(self) -> list[ArchivedPage]:
        """Return all pages of the day in the archive."""
        archive = Archive(self.s3, BUCKET)
        return [page for key in archive.keys(DAY) for page in archive.read(key).pages]

    @property
    def manifests(self) -> list[set[str]]:
        """Return the keys that each manifest of the day lists; the shortest manifest comes first."""
        found = []
        for key in self.keys:
            if key.endswith(".manifest.json"):
                assert Manifest.of_key(key).day == DAY
                content = json.loads(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
                assert content["anomesdia_exec"] == DAY
                found.append(set(content["objects"]))
        return sorted(found, key=len)

    @property
    def objects(self) -> set[str]:
        """Return the keys of the objects with the day's pages."""
        return set(Archive(self.s3, BUCKET).keys(DAY))

    def remove_everything(self) -> None:
        """Empty the bucket, and clear the site's list of requests."""
        for key in self.keys:
            self.s3.delete_object(Bucket=BUCKET, Key=key)
        self.site.clear_log()
        self.said()

    @property
    def listed(self) -> dict[str, set[str]]:
        """Return the tickers that the site lists."""
        return {
            kind: {asset.ticker for asset in self.site.assets.values() if asset.kind == kind}
            | set(self.site.ghosts[kind])
            for kind in ("acoes", "fiis")
        }


class Answer:
    """The part of an HTTP answer that botocore uses."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
