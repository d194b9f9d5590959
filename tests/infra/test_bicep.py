"""The files can be read, and what `bicep build` would refuse is refused here, with its place."""

import json
import re

import pytest

from tests.infra.bicep import BICEP, INFRA, SOURCES, BicepError, read
from tests.infra.cases import CASES, LEAST, deployed
from tests.infra.deployment import deploy

MAIN = "main.bicep"
SIGNALR = "app/signalr.bicep"


@pytest.mark.parametrize("name", BICEP)
def test_a_file_can_be_read(name: str) -> None:
    assert read(name, SOURCES[name]).declarations


@pytest.mark.parametrize("case", CASES)
def test_a_deployment_has_all_that_it_asks_for(case: str) -> None:
    assert deployed(case).resources


def test_every_module_is_used() -> None:
    used = {f"app/{each}.bicep" for each in re.findall(r"'app/(\w+)\.bicep'", SOURCES[MAIN])}
    assert used | {MAIN} == set(BICEP)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (SIGNALR, "kind: 'SignalR'", "kind 'SignalR'", r"app/signalr.bicep:\d+: cannot"),
        (SIGNALR, "name: name\n", "name: nam\n", r"signalr.bicep:\d+: nam is not decl"),
        (SIGNALR, "param units int", "param units int\nparam more int", "more is not u"),
        (SIGNALR, "param name ", "param tags object\nparam name ", "tags is declared t"),
        ("app/alerts.bicep", "[each.scope]", "[ofResources[0].scope]", "without a comma"),
        (MAIN, "location: each.location\n", "", r"signalr.bicep:\d+: location is not given"),
        (MAIN, "location: each.location", "region: each.location", "has no parameter region"),
        (MAIN, "location: each.location", "location: 1", "location is no string: 1"),
        (MAIN, "app/roles.bicep", "app/role.bicep", "app/role.bicep: there is no such file"),
        (MAIN, "function.outputs.clientId", "function.outputs.id", "KeyError: 'id'"),
        (MAIN, "      type: each.type\n", "", r"endpoints is no endpoint\[\]"),
        (MAIN, "targetScope = 'subscription'", "", "is for a resourceGroup"),
        ("app/workbook.bicep", "../workbook.json", "../work.json", "KeyError: 'work.json'"),
        (SIGNALR, "signalR.id\n", "signalR.listKeys().key\n", "KeyError: 'signalR.listKeys"),
        (SIGNALR, "signalR.properties.hostName", "listKeys(name)", r"listKeys\(\)"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(file: str, old: str, new: str, problem: str) -> None:
    assert old in SOURCES[file]
    with pytest.raises(BicepError, match=problem):
        deploy({**SOURCES, file: SOURCES[file].replace(old, new, 1)}, **LEAST)


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"negotiateIdentity": ""}, "minLength"),
        ({"identityType": "None"}, "allowed"),
        ({"signalRSku": "Standard"}, "allowed"),
        ({"signalRUnits": 0}, "minValue"),
        ({"signalRUnits": "2"}, "is no int"),
        ({"signalRConnectionTimeout": 121}, "maxValue"),
        ({"signalRKeepAliveInterval": -1}, "minValue"),
        ({"signalRMaxConnectionLifetime": 604801}, "maxValue"),
        ({"signalRConnectionCountRules": [{}] * 11}, "maxLength"),
        ({"signalRTrafficControlRules": ["rule"]}, r"is no object\[\]"),
        ({"otherTenantEndpoints": [{"name": "west"}]}, r"is no otherTenantEndpoint\[\]"),
        ({"signalRLocations": [{"name": "west"}]}, r"is no signalRLocation\[\]"),
        ({"allowedOrigins": "https://www.contoso.com"}, r"is no string\[\]"),
        ({"unknown": 1}, "has no parameter unknown"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, object], problem: str) -> None:
    with pytest.raises(BicepError, match=problem):
        deploy(SOURCES, **{**LEAST, **parameters})


@pytest.mark.parametrize("name", LEAST)
def test_what_has_no_default_must_be_given(name: str) -> None:
    given = {key: value for key, value in LEAST.items() if key != name}
    with pytest.raises(BicepError, match=f"{name} is not given"):
        deploy(SOURCES, **given)


def test_nothing_is_fetched_to_build_it() -> None:
    assert not re.search(r"'(br|ts)[:/]|\bextension\b", "\n".join(SOURCES[name] for name in BICEP))


def test_the_linter_takes_secrets_and_what_is_unused_for_errors() -> None:
    rules = json.loads((INFRA / "bicepconfig.json").read_text())["analyzers"]["core"]["rules"]
    levels = {name: rule["level"] for name, rule in rules.items()}
    # What is recent changes without a change of ours.
    assert levels.pop("use-recent-api-versions") == "warning"
    assert set(levels.values()) == {"error"}
    assert {"outputs-should-not-contain-secrets", "no-unused-params", "no-unused-vars"} <= set(
        levels
    )
