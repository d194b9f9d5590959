import pytest

from negotiate.caller import user_id
from negotiate.settings import Identity, NegotiateSettings
from problems import ProblemError
from shared.errors import SettingsError

PLATFORM = {"WEBSITE_AUTH_ENABLED": "True"}
PRINCIPAL = {"x-ms-client-principal-id": "ann"}


@pytest.mark.parametrize(
    ("environment", "identity"),
    [
        ({"NEGOTIATE_IDENTITY": "anonymous"}, Identity.ANONYMOUS),
        ({"NEGOTIATE_IDENTITY": " Anonymous "} | PLATFORM, Identity.ANONYMOUS),
        ({"NEGOTIATE_IDENTITY": "app-service"} | PLATFORM, Identity.APP_SERVICE),
        (PLATFORM, Identity.APP_SERVICE),
    ],
)
def test_identity(environment: dict[str, str], identity: Identity) -> None:
    assert NegotiateSettings.from_environment(environment).identity is identity


@pytest.mark.parametrize(
    ("environment", "setting", "said"),
    [
        ({}, "NEGOTIATE_IDENTITY", "is not set"),
        ({"WEBSITE_AUTH_ENABLED": "False"}, "NEGOTIATE_IDENTITY", "is not set"),
        ({"NEGOTIATE_IDENTITY": "header"}, "NEGOTIATE_IDENTITY", "'anonymous' or 'app-service'"),
        ({"NEGOTIATE_IDENTITY": "app-service"}, "NEGOTIATE_IDENTITY", "WEBSITE_AUTH_ENABLED"),
        *(
            (
                {"NEGOTIATE_IDENTITY": "anonymous", "NEGOTIATE_TOKEN_LIFETIME_MINUTES": value},
                "NEGOTIATE_TOKEN_LIFETIME_MINUTES",
                "from 1 to 90",
            )
            for value in ("0", "91", "-1", "1.5", "an hour", "²")
        ),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], setting: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        NegotiateSettings.from_environment(environment)
    assert caught.value.setting == setting
    assert said in str(caught.value)


def test_an_anonymous_app_ignores_the_header_that_anybody_can_send() -> None:
    assert user_id(Identity.ANONYMOUS, PRINCIPAL) is None


def test_app_service_names_the_user() -> None:
    assert user_id(Identity.APP_SERVICE, PRINCIPAL) == "ann"


@pytest.mark.parametrize("headers", [{}, {"x-ms-client-principal-id": ""}])
def test_who_is_not_logged_in_gets_401(headers: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as caught:
        user_id(Identity.APP_SERVICE, headers)
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
