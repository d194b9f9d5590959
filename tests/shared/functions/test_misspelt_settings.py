"""Settings whose names are slips, which nobody would read."""

import logging
from collections.abc import Mapping

import pytest

from shared import SettingsError
from shared.functions import SignalRFunctions
from shared.functions.misspelt_settings import misspelt_settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SIGNALR_HUB", "SIGNALR_HUBS"),
        ("signalr_hubs", "SIGNALR_HUBS"),
        ("SIGNALR_DEFAULTHUB", "SIGNALR_DEFAULT_HUB"),
        ("SIGNALR_OPENAPPI", "SIGNALR_OPENAPI"),
        ("NEGOTIATE_IDENTIY", "NEGOTIATE_IDENTITY"),
        ("UPSTREAM_AUDIENCES", "UPSTREAM_AUDIENCE"),
    ],
)
def test_a_slip_is_told_with_what_may_be_meant(name: str, meant: str) -> None:
    assert misspelt_settings({name: "x"}) == {name: meant}


@pytest.mark.parametrize(
    "environment",
    [
        {"SIGNALR_HUBS": "chat", "NEGOTIATE_IDENTITY": "anonymous", "UPSTREAM_TENANT_ID": "x"},
        {"SIGNALR_DEMO": "true", "UPSTREAM_URL": "http://other", "SIGNALR_": "", "HUBS": "chat"},
        {"SIGNALR_" + "HUBS" * 10_000: "x"},
        {},
    ],
)
def test_right_names_and_those_of_others_are_left_alone(environment: Mapping[str, str]) -> None:
    assert misspelt_settings(environment) == {}


def test_the_app_says_it_when_it_starts_before_it_misses_the_setting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(SettingsError, match=r"^SIGNALR_HUBS is"):
        SignalRFunctions.from_environment({"SIGNALR_HUB": "the value is not told"})
    (record,) = caplog.records
    said = record.getMessage()
    assert said == "The setting SIGNALR_HUB is not known; did you mean SIGNALR_HUBS?"
