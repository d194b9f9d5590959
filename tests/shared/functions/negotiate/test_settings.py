import pytest

from shared.errors import InvalidArgumentError, SettingsError
from shared.functions.issuers.bearer import Issuer
from shared.functions.negotiate.claims import ClaimMapping
from shared.functions.negotiate.settings import Identity, NegotiateSettings

PLATFORM = {"WEBSITE_AUTH_ENABLED": "True"}
OIDC = {
    "NEGOTIATE_IDENTITY": "oidc",
    "NEGOTIATE_OIDC_ISSUER": "https://issuer.example",
    "NEGOTIATE_OIDC_AUDIENCE": "api://chat, other",
}


@pytest.mark.parametrize(
    ("environment", "identities"),
    [
        ({"NEGOTIATE_IDENTITY": "anonymous"}, (Identity.ANONYMOUS,)),
        (
            {"NEGOTIATE_IDENTITY": "app-service, Anonymous"} | PLATFORM,
            (Identity.APP_SERVICE, Identity.ANONYMOUS),
        ),
        ({"NEGOTIATE_IDENTITY": " Anonymous "} | PLATFORM, (Identity.ANONYMOUS,)),
        ({"NEGOTIATE_IDENTITY": "app-service"} | PLATFORM, (Identity.APP_SERVICE,)),
        (PLATFORM, (Identity.APP_SERVICE,)),
        (OIDC, (Identity.OIDC,)),
    ],
)
def test_identity(environment: dict[str, str], identities: tuple[Identity, ...]) -> None:
    assert NegotiateSettings.from_environment(environment).identities == identities


@pytest.mark.parametrize(
    ("environment", "setting", "said"),
    [
        ({}, "NEGOTIATE_IDENTITY", "is not set"),
        ({"WEBSITE_AUTH_ENABLED": "False"}, "NEGOTIATE_IDENTITY", "is not set"),
        (
            {"NEGOTIATE_IDENTITY": "header"},
            "NEGOTIATE_IDENTITY",
            "'anonymous', 'app-service', 'oidc'",
        ),
        ({"NEGOTIATE_IDENTITY": "app-service"}, "NEGOTIATE_IDENTITY", "WEBSITE_AUTH_ENABLED"),
        ({"NEGOTIATE_IDENTITY": "anonymous,oidc"}, "NEGOTIATE_IDENTITY", "after 'anonymous'"),
        (OIDC | {"NEGOTIATE_OIDC_ISSUER": ""}, "NEGOTIATE_OIDC_ISSUER", "is not set"),
        (
            OIDC | {"NEGOTIATE_OIDC_ISSUER": "http://issuer.example"},
            "NEGOTIATE_OIDC_ISSUER",
            "no https address",
        ),
        (OIDC | {"NEGOTIATE_OIDC_ISSUER": "https://[a"}, "NEGOTIATE_OIDC_ISSUER", "no https"),
        (OIDC | {"NEGOTIATE_OIDC_ISSUER": "https:///a"}, "NEGOTIATE_OIDC_ISSUER", "no https"),
        (OIDC | {"NEGOTIATE_OIDC_AUDIENCE": " , "}, "NEGOTIATE_OIDC_AUDIENCE", "any other app"),
        (OIDC | {"NEGOTIATE_UNIQUE_TOKENS": "yes"}, "NEGOTIATE_UNIQUE_TOKENS", "'true' or 'false'"),
        (OIDC | {"NEGOTIATE_OIDC_JWKS_URI": "file:///x"}, "NEGOTIATE_OIDC_JWKS_URI", "no https"),
        *(
            (
                {"NEGOTIATE_IDENTITY": "anonymous", "NEGOTIATE_CLAIMS": value},
                "NEGOTIATE_CLAIMS",
                said,
            )
            for value, said in (
                ("iss", "'iss'"),
                ("name=exp", "'exp'"),
                ("role=asrs.s.uid", "'asrs.s.uid'"),
                ("role,roles=role", "'role' comes twice"),
                ("=x", "has no name"),
                ("x=", "has no name"),
            )
        ),
        *(
            (
                {"NEGOTIATE_IDENTITY": "anonymous", "NEGOTIATE_TOKEN_LIFETIME_MINUTES": value},
                "NEGOTIATE_TOKEN_LIFETIME_MINUTES",
                "from 1 to 90",
            )
            for value in ("0", "91", "-1", "1.5", "an hour", "²", "9" * 5000)
        ),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], setting: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        NegotiateSettings.from_environment(environment)
    assert caught.value.setting == setting
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "identities",
    # The first is what (Identity.ANONYMOUS) is without its comma.
    [Identity.ANONYMOUS, (), "anonymous", ("anonymous",), [Identity.ANONYMOUS], None],
    ids=repr,
)
def test_identities_in_code_are_a_tuple_of_them(identities: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"has to be a tuple .*\(Identity.ANONYMOUS,\)"):
        NegotiateSettings(identities)  # type: ignore[arg-type]


def test_bearer_tokens_need_an_issuer_in_code_as_well() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^issuer is missing, .*Issuer\("):
        NegotiateSettings((Identity.OIDC,))


def test_an_issuer_of_bearer_tokens() -> None:
    settings = NegotiateSettings.from_environment(OIDC)
    assert settings.issuer == Issuer("https://issuer.example", ("api://chat", "other"))
    assert settings.user_id_claim == "sub"
    chosen = OIDC | {
        "NEGOTIATE_OIDC_JWKS_URI": "https://keys.example",
        "NEGOTIATE_OIDC_USER_ID_CLAIM": "oid",
    }
    settings = NegotiateSettings.from_environment(chosen)
    assert settings.issuer is not None
    assert settings.issuer.jwks_uri == "https://keys.example"
    assert settings.user_id_claim == "oid"


def test_claims_that_pass() -> None:
    email = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
    settings = NegotiateSettings.from_environment(
        OIDC | {"NEGOTIATE_CLAIMS": f" name, roles = role ,,{email}"}
    )
    assert settings.claims == (
        ClaimMapping("name", "name"),
        ClaimMapping("roles", "role"),
        ClaimMapping(email, "emailaddress"),
    )
