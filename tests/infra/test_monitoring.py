"""The workbook and the alerts ask for what is really recorded."""

import json
import re
from typing import Any, Final

import pytest

from shared import telemetry as attributes
from shared.keys.access_key import LIFETIME
from tests.infra.bicep import ROOT, SOURCES
from tests.infra.cases import CASES, deployed
from tests.infra.deployment import Resource
from tests.scripted_service import Reply, scripted_service
from tests.shared.endpoints.test_instruments import answer, recorded

WORKSPACES: Final = "Microsoft.OperationalInsights/workspaces"
SIGNALR: Final = "Microsoft.SignalRService/signalR"
LOG_ALERTS: Final = "Microsoft.Insights/scheduledQueryRules"
METRIC_ALERTS: Final = "Microsoft.Insights/metricAlerts"
# Azure Monitor's metrics of Microsoft.SignalRService/SignalR, with their categories.
OF_THE_SERVICE: Final = {
    "ConnectionCount": "Traffic",
    "ConnectionQuotaUtilization": "Traffic",
    "ServerLoad": "Saturation",
    "SystemErrors": "Errors",
    "UserErrors": "Errors",
}


@pytest.fixture(scope="module")
def telemetry() -> dict[str, list[dict[str, Any]]]:
    """What the service client records, of successes and failures."""
    with scripted_service(answer) as good, scripted_service(lambda _: Reply(403)) as bad:
        of_both = recorded("blocking", good.url), recorded("blocking", bad.url)
    return {kind: [*of_both[0][kind], *of_both[1][kind]] for kind in of_both[0]}


def workbook(case: str) -> dict[str, Any]:
    resource = deployed(case).one("Microsoft.Insights/workbooks")
    content: dict[str, Any] = json.loads(resource.properties["serializedData"])
    return content


def contents(case: str, type_: int) -> list[dict[str, Any]]:
    return [each["content"] for each in workbook(case)["items"] if each["type"] == type_]


def criterion(alert: Resource) -> dict[str, Any]:
    (only,) = alert.properties["criteria"]["allOf"]
    found: dict[str, Any] = only
    return found


def queries() -> list[str]:
    alerts = [criterion(each)["query"] for each in deployed("least").of(LOG_ALERTS)]
    return [*alerts, *(each["query"] for each in contents("least", 3))]


def test_metrics_are_asked_for_by_their_names(
    telemetry: dict[str, list[dict[str, Any]]],
) -> None:
    asked = {name for query in queries() for name in re.findall(r"Name == '(.*?)'", query)}
    assert asked == {each["name"] for each in telemetry["points"]}


def test_attributes_are_asked_for_by_their_names(
    telemetry: dict[str, list[dict[str, Any]]],
) -> None:
    points = {name for each in telemetry["points"] for name in each["attributes"]}
    every = points | {name for each in telemetry["spans"] for name in each["attributes"]}
    for query in queries():
        asked = set(re.findall(r"Properties\['(.*?)'\]", query))
        assert asked
        assert asked <= (points if query.startswith("AppMetrics") else every), query


@pytest.mark.parametrize("case", CASES)
def test_the_workbook_is_filled_in(case: str) -> None:
    deployment = deployed(case)
    assert "__" not in json.dumps(workbook(case))
    for content in contents(case, 3):
        assert content["crossComponentResources"] == [deployment.one(WORKSPACES).id]
        assert content["timeContextFromParameter"] == "TimeRange"
    for content in contents(case, 10):
        assert content["resourceIds"] == [each.id for each in deployment.of(SIGNALR)]


def test_the_items_of_the_workbook_have_names_of_their_own() -> None:
    names = [each["name"] for each in workbook("least")["items"]]
    assert len(set(names)) == len(names)


def test_metrics_of_the_service_are_those_of_azure_monitor() -> None:
    space = "microsoft.signalrservice/signalr"
    known = {f"{space}-{category}-{name}" for name, category in OF_THE_SERVICE.items()}
    shown = [metric for content in contents("least", 10) for metric in content["metrics"]]
    assert {each["metric"] for each in shown} == known
    alerts = deployed("least").of(METRIC_ALERTS)
    assert {criterion(each)["metricName"] for each in alerts} <= set(OF_THE_SERVICE)


def test_the_alert_on_the_age_comes_between_the_refresh_and_the_end_of_a_key() -> None:
    alert = deployed("least").one(LOG_ALERTS, "access-key-age")
    asked = criterion(alert)
    # A key is replaced in its first hour: docs/reliability.md.
    assert 60 * 60 < asked["threshold"] < LIFETIME
    assert asked["operator"] == "GreaterThan"
    assert asked["timeAggregation"] == "Maximum"
    assert re.search(rf"\b{asked['metricMeasureColumn']} = ", asked["query"])


def test_the_alert_on_refreshes_counts_all_that_is_no_success(
    telemetry: dict[str, list[dict[str, Any]]],
) -> None:
    asked = criterion(deployed("least").one(LOG_ALERTS, "access-key-refresh"))
    outcomes = {each["attributes"].get(attributes.OUTCOME) for each in telemetry["points"]}
    assert {"success", "PermissionDeniedError"} <= outcomes
    assert "where Outcome != 'success'" in asked["query"]
    assert asked["timeAggregation"] == "Total"
    assert re.search(rf"\b{asked['metricMeasureColumn']} = Sum\b", asked["query"])


@pytest.mark.parametrize("case", CASES)
def test_alerts_tell_who_is_to_be_told(case: str) -> None:
    deployment = deployed(case)
    groups = [each.id for each in deployment.of("Microsoft.Insights/actionGroups")]
    assert bool(groups) == ("alertEmail" in CASES[case])
    for alert in deployment.of(LOG_ALERTS):
        assert alert.properties["scopes"] == [deployment.one(WORKSPACES).id]
        assert alert.properties["actions"]["actionGroups"] == groups
        for dimension in criterion(alert)["dimensions"]:
            assert re.search(rf"\b{dimension['name']} = ", criterion(alert)["query"])
    services = [each.id for each in deployment.of(SIGNALR)]
    watched = [each.properties["scopes"][0] for each in deployment.of(METRIC_ALERTS)]
    assert sorted(watched) == sorted(services * 2)
    for alert in deployment.of(METRIC_ALERTS):
        assert [each["actionGroupId"] for each in alert.properties["actions"]] == groups


def test_every_query_file_is_used() -> None:
    files = {each for each in SOURCES if each.endswith(".kql")}
    assert {SOURCES[each] for each in files} <= set(queries())


def test_the_host_hands_its_traces_to_the_worker() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    assert host["telemetryMode"] == "OpenTelemetry"
