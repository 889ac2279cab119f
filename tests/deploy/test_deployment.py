"""Consumers deploy the module in CI with clean checkouts, saved plans, two instances and their own
buckets."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jmespath
import pytest
from consumer import (
    DEFAULT_TAGS,
    PROJECT,
    Checkout,
    ModuleRepository,
    changes_of,
    of_type,
    path_with,
    resources_of,
)
from policies import check_policies, policies, wrong_with_policy, wrong_with_workflow
from role import may

from report.athena import Athena
from sandbox import checks
from sandbox.bench.costs import TRANSITIONS_A_DAY
from sandbox.day import Day
from sandbox.emulator import ACCOUNT_ID, Emulator
from sandbox.lake import Lake
from sandbox.site import SiteServer, make_assets

pytestmark = pytest.mark.e2e

DAY = 20251124
OWN_BUCKET = "the-consumers-own-bucket"
OWN_DATABASE = "the_consumers_own_database"
OWN_QUEUE = "the-consumers-own-queue"
BOUNDARY = PROJECT / "examples" / "boundary" / "boundary.json"
MINIMAL = """
  fundamentus_base_url        = "{site_url}"
  schedules_enabled           = false
  force_destroy               = true
  dedup_wait_interval_seconds = 2
"""
"""Additional configuration for examples/minimal on the emulator."""
TOLD = 'alarm_email = "me@example.com"'


@dataclass
class Instance:
    """A consumer's deployment of the module."""

    directory: Path
    repository: ModuleRepository
    env: dict[str, str]
    inputs: str
    example: str = "local"

    def checkout(self, name: str, version: str = "v1", inputs: str = "") -> Checkout:
        return Checkout(
            self.directory / name,
            source=self.repository.source(version),
            env=self.env,
            inputs=self.inputs + inputs,
            example=self.example,
        )


@dataclass
class Deployed:
    """Two instances in one account."""

    first: Instance
    second: Instance
    applied: list[tuple[dict[str, Any], dict[str, Any]]]
    """Resources and outputs of each instance."""


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(make_assets(DAY)) as site:
        yield site


@pytest.fixture(scope="module")
def instances(
    tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, env: dict[str, str], site: SiteServer
) -> tuple[Instance, Instance]:
    repository = ModuleRepository(tmp_path_factory.mktemp("git") / "pynvest-tools")
    key, own_key = (emulator.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=OWN_BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": own_key}
    s3.put_bucket_encryption(
        Bucket=OWN_BUCKET,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": encryption}]},
    )
    queue = f"arn:aws:sqs:{s3.meta.region_name}:{ACCOUNT_ID}:{OWN_QUEUE}"
    let_s3_send = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let_s3_send]})
    emulator.client("sqs").create_queue(QueueName=OWN_QUEUE, Attributes={"Policy": policy})
    s3.put_bucket_notification_configuration(
        Bucket=OWN_BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Id": "somebody-elses",
                    "QueueArn": queue,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "something/"}]}},
                }
            ],
            "EventBridgeConfiguration": {},
        },
    )
    s3.put_object(Bucket=OWN_BUCKET, Key="something/else", Body=b"the consumer's")
    emulator.client("glue").create_database(DatabaseInput={"Name": OWN_DATABASE})
    iam = emulator.client("iam")
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=BOUNDARY.read_text())["Policy"]["Arn"]
    own = f"""
      name_prefix           = "other-lake"
      bucket_names_map      = {{ sor = "{OWN_BUCKET}", sot = "{OWN_BUCKET}", spec = "{OWN_BUCKET}" }}
      databases_names_map   = {{ sor = "{OWN_DATABASE}", sot = "{OWN_DATABASE}", spec = "{OWN_DATABASE}" }}
      flag_create_databases = false
      kms_key_arn           = "{key}"
      bucket_kms_key_arns   = ["{own_key}"]
      module_default_tags   = {{ project = "other-lake" }}
      bucket_notifications  = "eventbridge"
      iam_role_path         = "/lakes/"
      permissions_boundary_arn = "{boundary}"
    """
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    env = {**env, "TF_VAR_fundamentus_base_url": site.base_url}
    return (
        Instance(first, repository, env, MINIMAL.format(site_url=site.base_url), "minimal"),
        Instance(second, repository, env, own),
    )


@pytest.fixture(scope="module")
def deployed(instances: tuple[Instance, Instance]) -> Deployed:
    first, second = instances

    def deploy_first() -> tuple[dict[str, Any], dict[str, Any]]:
        planned = first.checkout("plan-job")
        planned.terraform("plan", "-out=lake.tfplan")
        plan = (planned.directory / "lake.tfplan").read_bytes()
        shutil.rmtree(planned.directory)

        applied = first.checkout("apply-job")
        (applied.directory / "lake.tfplan").write_bytes(plan)
        applied.terraform("apply", "-parallelism=50", "lake.tfplan")
        found = applied.resources(), applied.outputs()
        shutil.rmtree(applied.directory)
        return found

    def deploy_second() -> tuple[dict[str, Any], dict[str, Any]]:
        checkout = second.checkout("apply-job")
        checkout.apply()
        return checkout.resources(), checkout.outputs()

    with ThreadPoolExecutor() as pool:
        applied = [pool.submit(deploy_first), pool.submit(deploy_second)]
    return Deployed(first, second, [future.result() for future in applied])


def test_two_instances_each_run_their_day_without_touching_the_other(
    deployed: Deployed, emulator: Emulator, site: SiteServer
) -> None:
    assets = sorted(site.assets.values(), key=lambda asset: asset.ticker)
    stocks = [asset for asset in assets if asset.kind == "acoes"]
    funds = [asset for asset in assets if asset.kind == "fiis"]
    shares = [[*stocks[:3], *funds[:2]], [*stocks[3:5], *funds[2:5]]]
    lakes = [Lake.from_outputs(outputs) for _, outputs in deployed.applied]
    days = [Day(lake, emulator.client, lambda line: None) for lake in lakes]

    for day, share in zip(days, shares, strict=True):
        day.start(tickers=[asset.ticker for asset in share])
    for day in days:
        day.wait()
        day.run_workflow()

    for day, share in zip(days, shares, strict=True):
        checks.check_assets(day, share, emulator.client("glue"))
        athena = Athena(emulator.client("athena"), day.lake.workgroup)
        database = day.lake.table("spec").database
        assert {query.database for query in athena.named_queries().values()} == {database}
        found = athena.ask(f"SELECT codigo_ticker_ativo FROM {database}.vw_ativos_ultimo_dia")  # noqa: S608
        assert {row[0] for row in found.rows} == {asset.ticker for asset in share}


@pytest.fixture(scope="module")
def notice_plan(deployed: Deployed) -> dict[str, Any]:
    """Plan the second instance with `alarm_email`, and without Python on the PATH.

    Do not apply this plan: the emulator returns wrong values for alarms, so later plans would show changes.
    """
    checkout = deployed.second.checkout("telling", inputs=TOLD)
    return checkout.plan(PATH=path_with(checkout.directory.parent / "bin", "sh"))


@pytest.fixture(scope="module")
def notice_resources(notice_plan: dict[str, Any]) -> dict[str, Any]:
    """Return the planned resources of the second instance when `alarm_email` is set."""
    return resources_of(notice_plan["planned_values"])


def test_a_plan_in_another_checkout_has_only_the_requested_changes_and_needs_no_python(
    notice_plan: dict[str, Any],
) -> None:
    assert {address: change["actions"] for address, change in changes_of(notice_plan).items()} == {
        "aws_cloudwatch_event_rule.stopped[0]": ["create"],
        "aws_cloudwatch_event_target.stopped[0]": ["create"],
        'aws_cloudwatch_metric_alarm.this["not_started"]': ["create"],
        "aws_sns_topic.notices[0]": ["create"],
        "aws_sns_topic_policy.notices[0]": ["create"],
        "aws_sns_topic_subscription.notices[0]": ["create"],
        "module.stepfunctions.aws_iam_role_policy.this": ["update"],
        "module.stepfunctions.aws_sfn_state_machine.this": ["update"],
    }


def check_notifications(emulator: Emulator) -> None:
    """Check that the module has not changed the notifications of the consumer's bucket."""
    found = emulator.client("s3").get_bucket_notification_configuration(Bucket=OWN_BUCKET)

    assert [one["Id"] for one in found["QueueConfigurations"]] == ["somebody-elses"]
    assert found["EventBridgeConfiguration"] == {}
    assert "LambdaFunctionConfigurations" not in found


def test_the_consumers_own_bucket_is_not_changed(deployed: Deployed, emulator: Emulator) -> None:
    s3 = emulator.client("s3")

    check_notifications(emulator)
    assert "Status" not in s3.get_bucket_versioning(Bucket=OWN_BUCKET)
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=OWN_BUCKET)
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=OWN_BUCKET)


def test_functions_may_use_the_key_of_the_consumers_own_bucket(
    deployed: Deployed, emulator: Emulator
) -> None:
    iam, s3 = emulator.client("iam"), emulator.client("s3")
    rules = s3.get_bucket_encryption(Bucket=OWN_BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    key = rules[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    read, write = "kms:Decrypt", "kms:GenerateDataKey"

    # The emulator's policy simulator expects the role's name without the role's path.
    assert may(iam, "other-lake-lambda-get-tickers", key, read, write) == []
    assert may(iam, "other-lake-lambda-get-financial-data-for-fiis", key, read, write) == [write]
    assert may(iam, "other-lake-lambda-specialize-financial-data", key, read, write) == [read, write]


def actions_of(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def test_every_role_has_path_and_boundary_and_its_grants_are_within_the_boundary(
    notice_resources: dict[str, Any],
) -> None:
    roles = of_type(notice_resources, "aws_iam_role")
    grants = {
        address: values for address, values in notice_resources.items() if ".aws_iam_role_policy." in address
    }
    granted = {
        action
        for policy in policies(grants).values()
        for statement in policy["Statement"]
        for action in actions_of(statement)
    }
    within = {
        action
        for statement in json.loads(BOUNDARY.read_text())["Statement"]
        for action in statement["Action"]
    }

    assert len(roles) >= 14
    assert {(role["path"], role["permissions_boundary"].rsplit("/", 1)[1]) for role in roles} == {
        ("/lakes/", "boundary")
    }
    assert granted == within


def test_a_function_cannot_write_if_its_boundary_denies_it(deployed: Deployed, emulator: Emulator) -> None:
    iam, name = emulator.client("iam"), "other-lake-lambda-get-tickers"
    denying = json.loads(BOUNDARY.read_text())
    denying["Statement"].append({"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"})
    policy = iam.create_policy(PolicyName="denying", PolicyDocument=json.dumps(denying))["Policy"]["Arn"]
    boundary = iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy)
    try:
        answer = emulator.client("lambda").invoke(
            FunctionName=name,
            Payload=json.dumps({"anomesdia_exec": DAY - 1, "only_missing": True}).encode(),
        )
    finally:
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)

    assert "AccessDenied" in json.loads(answer["Payload"].read())["errorMessage"]


def test_more_than_ten_default_tags_are_on_everything_except_the_packages(
    deployed: Deployed, emulator: Emulator
) -> None:
    found, _ = deployed.applied[1]
    tagged = {
        address: values["tags_all"]
        for address, values in found.items()
        if "tags_all" in values and ".aws_s3_object.package[" not in address
    }
    assert len(tagged) > 40
    own = {"project": "other-lake"}
    assert {address for address, tags in tagged.items() if tags != {**DEFAULT_TAGS, **own}} == set()

    s3 = emulator.client("s3")
    bucket = f"other-lake-packages-123456789012-{s3.meta.region_name}"
    for item in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        tags = s3.get_object_tagging(Bucket=bucket, Key=item["Key"])["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == own


def test_aws_accepts_every_policy_and_none_admits_another_account(deployed: Deployed) -> None:
    for found, outputs in deployed.applied:
        to_attach = {name: json.loads(outputs[name]) for name in outputs if name.endswith("_policy_json")}
        assert set(to_attach) == {"collector_policy_json", "operator_policy_json", "reader_policy_json"}
        documents = {**policies(found), **to_attach}
        roles = {address for address in found if re.search(r"\.aws_(iam_role|iam_role_policy)\.", address)}
        assert roles <= {where.split(": ")[0] for where in documents}
        check_policies(documents)


def test_aws_accepts_the_policies_with_notices(notice_resources: dict[str, Any]) -> None:
    found = policies(notice_resources)

    assert "module.pynvest_tools.aws_sns_topic_policy.notices[0]: policy" in found
    check_policies(found)


def test_an_invalid_policy_is_found() -> None:
    wrong = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket"}

    (found,) = wrong_with_policy({"Version": "2012-10-17", "Statement": [wrong]})

    assert found.startswith("RESOURCE_MISMATCH")


def entered(machine: dict[str, Any], choices: dict[str, int]) -> list[str]:
    """Return the states that an execution enters, including the states in branches.

    `choices` has the index of the rule that a choice state follows. Other choice states take their default.
    """
    names, name = [], machine["StartAt"]
    while name:
        state = machine["States"][name]
        names += [name, *(one for branch in state.get("Branches", ()) for one in entered(branch, choices))]
        taken = state["Choices"][choices[name]] if name in choices else state
        name = taken.get("Next") or taken.get("Default")
    return names


def test_a_good_evening_with_a_notice_has_as_many_transitions_as_the_cost_estimate(
    notice_resources: dict[str, Any],
) -> None:
    (machine,) = of_type(notice_resources, "aws_sfn_state_machine")

    names = entered(json.loads(machine["definition"]), {"IsGood": 0})

    assert names[-2:] == ["IsGood", "Good"]
    assert "Tell" in names
    assert len(names) == TRANSITIONS_A_DAY


@pytest.mark.full
def test_step_functions_accepts_the_workflow(
    deployed: Deployed, notice_resources: dict[str, Any], tmp_path: Path
) -> None:
    definition, telling_definition = (
        of_type(found, "aws_sfn_state_machine")[0]["definition"]
        for found in (deployed.applied[0][0], notice_resources)
    )
    astray = json.loads(definition)
    astray["States"][astray["StartAt"]]["Next"] = "Nowhere"

    assert wrong_with_workflow(definition, tmp_path) == ""
    assert "TellFailure" in telling_definition
    assert wrong_with_workflow(telling_definition, tmp_path) == ""
    assert "Nowhere" in wrong_with_workflow(json.dumps(astray), tmp_path)


def test_changed_packages_are_updated_and_lost_resources_are_restored(
    deployed: Deployed, emulator: Emulator
) -> None:
    """Terraform builds only changed and lost packages. Line endings and file modes do not change packages."""

    def change(module: Path) -> None:
        for path in [*module.glob("lambda/src/**/*.py"), *module.glob("glue/schemas/*.json")]:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
            path.chmod(0o755)
        cache = module / "lambda" / "src" / "get_tickers" / "__pycache__"
        cache.mkdir()
        (cache / "handler.cpython-311.pyc").write_bytes(b"\x00")
        for changed in (
            "src/prep_financial_data/handler.py",
            "src/fundamentus_site/page.py",
            "layer/requirements.txt",
        ):
            with (module / "lambda" / changed).open("a") as file:
                file.write("\n# changed\n")

    deployed.first.repository.publish("v2", change, based_on="v1")
    changed = ("get_tickers", "get_financial_data", "prep_financial_data", "layer")
    lost = "check_and_delete_partitions"
    built = (*changed, lost)
    emulator.client("lambda").delete_function(FunctionName="pynvest-lambda-assess-day")
    s3 = emulator.client("s3")
    bucket = f"pynvest-packages-123456789012-{s3.meta.region_name}"
    (package,) = (item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=f"{lost}/")["Contents"])
    s3.delete_object(Bucket=bucket, Key=package)

    changes = changes_of(deployed.first.checkout("changed", version="v2").plan())

    functions = {address for address in changes if ".aws_lambda_function." in address}
    assert len(functions) == 11
    assert {address: change["actions"] for address, change in changes.items()} == {
        **{f'module.lambda.terraform_data.build["{name}"]': ["create", "delete"] for name in built},
        **{f'module.lambda.aws_s3_object.package["{name}"]': ["create", "delete"] for name in changed},
        f'module.lambda.aws_s3_object.package["{lost}"]': ["create"],
        "module.lambda.aws_lambda_layer_version.this": ["create", "delete"],
        **{function: ["update"] for function in functions},
        'module.lambda.aws_lambda_function.this["assess-day"]': ["create"],
        # The workflow's definition and policy contain the ARN of ``assess-day``.
        "module.stepfunctions.aws_iam_role_policy.this": ["update"],
        "module.stepfunctions.aws_sfn_state_machine.this": ["update"],
    }
    again = changes[f'module.lambda.aws_s3_object.package["{lost}"]']["after"]["key"]
    assert again.split("-")[0] == package.split("-")[0]


def test_destroy_leaves_only_the_consumers_resources(deployed: Deployed, emulator: Emulator) -> None:
    checkouts = [instance.checkout("destroy-job") for instance in (deployed.first, deployed.second)]
    with ThreadPoolExecutor() as pool:
        assert all("Destroy complete!" in said for said in pool.map(Checkout.destroy, checkouts))

    left = remaining_resources(emulator)
    (queue,) = left.pop("queue")
    assert queue.endswith(OWN_QUEUE)
    assert left == {"bucket": [OWN_BUCKET], "database": [OWN_DATABASE]}
    check_notifications(emulator)
    kept = emulator.client("s3").get_object(Bucket=OWN_BUCKET, Key="something/else")["Body"].read()
    assert kept == b"the consumer's"


def remaining_resources(emulator: Emulator) -> dict[str, list[str]]:
    """Return the names of the resources that remain in the account, by type."""
    listed = {
        "bucket": ("s3", "list_buckets", "Buckets[].Name", {}),
        "database": ("glue", "get_databases", "DatabaseList[].Name", {}),
        "function": ("lambda", "list_functions", "Functions[].FunctionName", {}),
        "layer": ("lambda", "list_layers", "Layers[].LayerName", {}),
        "mapping": ("lambda", "list_event_source_mappings", "EventSourceMappings[].UUID", {}),
        "log group": ("logs", "describe_log_groups", "logGroups[].logGroupName", {}),
        "queue": ("sqs", "list_queues", "QueueUrls", {}),
        "rule": ("events", "list_rules", "Rules[].Name", {}),
        "role": ("iam", "list_roles", "Roles[].RoleName", {}),
        "schedule": ("scheduler", "list_schedules", "Schedules[].Name", {}),
        "table": ("glue", "get_tables", "TableList[].Name", {"DatabaseName": OWN_DATABASE}),
        "topic": ("sns", "list_topics", "Topics[].TopicArn", {}),
        "workgroup": ("athena", "list_work_groups", "WorkGroups[?Name != 'primary'].Name", {}),
        "workflow": ("stepfunctions", "list_state_machines", "stateMachines[].name", {}),
    }
    found = {
        kind: jmespath.search(names, getattr(emulator.client(service), call)(**arguments))
        for kind, (service, call, names, arguments) in listed.items()
    }
    return {kind: names for kind, names in found.items() if names}
