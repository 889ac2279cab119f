from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox import terraform


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.delenv(terraform.MIRROR_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(terraform, "_terraform_plugin_dirs", list)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "registry_answers", lambda: False)


def make_mirror(directory: Path, packed: bool = False) -> Path:
    provider = directory / terraform.REGISTRY / terraform.PROVIDER
    if packed:
        provider.mkdir(parents=True)
        (provider / f"terraform-provider-aws_6.0.0_{terraform.current_platform()}.zip").touch()
    else:
        (provider / "6.0.0" / terraform.current_platform()).mkdir(parents=True)
    return directory


def test_an_existing_configuration_file_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "own.tfrc"
    own.touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(own))

    assert terraform.provider_env(tmp_path / "state")["TF_CLI_CONFIG_FILE"] == str(own)
    assert not (tmp_path / "state").exists()


def test_a_missing_configuration_file_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offline: None
) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "missing.tfrc"))
    monkeypatch.setenv(terraform.MIRROR_VARIABLE, str(make_mirror(tmp_path / "mirror")))

    written = Path(terraform.provider_env(tmp_path / "state")["TF_CLI_CONFIG_FILE"])

    assert f'path = "{tmp_path}/mirror"' in written.read_text()


def test_the_registry_is_used_if_it_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(terraform, "registry_answers", lambda: True)

    written = Path(terraform.provider_env(tmp_path / "state")["TF_CLI_CONFIG_FILE"])

    assert "provider_installation" not in written.read_text()
    assert (tmp_path / "state" / "terraform-plugins").is_dir()


def test_a_reader_gets_the_whole_configuration_while_it_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(terraform, "registry_answers", lambda: True)
    config = Path(terraform.provider_env(tmp_path / "state")["TF_CLI_CONFIG_FILE"])
    before = config.read_text()
    monkeypatch.setattr(terraform, "registry_answers", lambda: False)
    monkeypatch.setenv(terraform.MIRROR_VARIABLE, str(make_mirror(tmp_path / "mirror")))

    with config.open() as reading:
        terraform.provider_env(tmp_path / "state")
        assert reading.read() == before

    assert config.read_text() != before
    assert [path.name for path in config.parent.glob("terraform.rc*")] == ["terraform.rc"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_mirror_is_found_some_levels_down(tmp_path: Path, packed: bool) -> None:
    mirror = make_mirror(tmp_path / "opt" / "company" / "terraform", packed)

    assert terraform.find_mirror(tmp_path) == mirror


def test_no_mirror_is_taken_from_temporary_or_world_writable_folders(tmp_path: Path) -> None:
    make_mirror(tmp_path / "tmp" / "mirror")
    make_mirror(tmp_path / "srv" / "mirror").chmod(0o777)

    with pytest.raises(terraform.ProviderNotFound):
        terraform.find_mirror(tmp_path)


def test_without_registry_and_mirror_the_message_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(terraform.ProviderNotFound, match=r"terraform providers mirror.*TF_PLUGIN_MIRROR"):
        terraform.find_mirror(tmp_path)


def test_a_named_mirror_without_the_provider_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(terraform.MIRROR_VARIABLE, str(tmp_path))

    with pytest.raises(
        terraform.ProviderNotFound, match=rf"{tmp_path}.*does not hold the provider: expected"
    ):
        terraform.find_mirror(tmp_path)


def test_the_mirror_of_an_earlier_run_is_not_searched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offline: None
) -> None:
    monkeypatch.setenv(terraform.MIRROR_VARIABLE, str(make_mirror(tmp_path / "mirror")))
    first = terraform.provider_env(tmp_path / "state")
    monkeypatch.delenv(terraform.MIRROR_VARIABLE)
    monkeypatch.setattr(terraform, "find_mirror", pytest.fail)

    assert terraform.provider_env(tmp_path / "state") == first


def test_the_error_for_a_missing_terraform_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(terraform.TerraformNotInstalled, match=r"install Terraform 1\.6 or newer"):
        terraform.find_terraform()


def event(kind: str, field: str, address: str) -> str:
    """Return what ``terraform apply -json`` prints about a new resource."""
    return json.dumps({"type": kind, field: {"resource": {"addr": address}, "action": "create"}})


@pytest.mark.parametrize("has_begun", [True, False])
def test_the_lake_can_be_used_while_only_slow_settings_remain(has_begun: bool) -> None:
    settings = 'module.lake.aws_s3_bucket_lifecycle_configuration.this["sor"]'
    addresses = ("module.lake.aws_s3_bucket.this", settings, "module.lake.aws_sfn_state_machine.this")
    begun = addresses if has_begun else addresses[::2]
    events = [
        *(event("planned_change", "change", address) for address in addresses),
        *(event("apply_start", "hook", address) for address in begun),
        *(event("apply_complete", "hook", address) for address in (*addresses[::2], settings)),
    ]
    creation = terraform.Creation()
    unusable = []
    for line in events:
        creation.note(line)
        unusable.append(creation.unusable())

    not_begun = set() if has_begun else {settings}
    assert unusable[-3:] == [{addresses[2], *not_begun}, not_begun, set()]
