import json
import logging
from base64 import b64encode
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.functions.bearer import Issuer
from shared.functions.negotiate.caller import Caller, CallerIdentity
from shared.functions.negotiate.settings import Identity, NegotiateSettings
from shared.functions.problems import ProblemError
from tests.issuer import AUDIENCE, TestIssuer, running_issuer

SPOOFED = {
    "x-ms-client-principal-id": "admin",
    "x-ms-client-principal-name": "admin",
    "x-ms-signalr-userid": "admin",
    "x-user-id": "admin",
}
ANONYMOUS = CallerIdentity(NegotiateSettings((Identity.ANONYMOUS,)))
APP_SERVICE = CallerIdentity(NegotiateSettings((Identity.APP_SERVICE,)))


def principal(*claims: tuple[str, str]) -> str:
    listed = [{"typ": name, "val": value} for name, value in claims]
    document = {"auth_typ": "aad", "claims": listed, "name_typ": "name", "role_typ": "roles"}
    return b64encode(json.dumps(document).encode()).decode()


@pytest.fixture(scope="module")
def issuer() -> Iterator[TestIssuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture(scope="module")
def oidc(issuer: TestIssuer) -> CallerIdentity:
    settings = NegotiateSettings((Identity.OIDC,), issuer=Issuer(issuer.url, (AUDIENCE,)))
    return CallerIdentity(settings)


async def refused(identity: CallerIdentity, headers: Mapping[str, str]) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        await identity.identify(headers)
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"].startswith('Bearer realm="negotiate"')
    return caught.value


async def test_an_anonymous_app_ignores_headers_that_anybody_can_send() -> None:
    assert await ANONYMOUS.identify(SPOOFED) == Caller()


async def test_app_service_says_who_the_user_is() -> None:
    caller = await APP_SERVICE.identify(
        {
            "x-ms-client-principal-id": "ann",
            "x-ms-client-principal": principal(
                ("name", "Ann"), ("roles", "a"), ("roles", "b"), ("exp", "1700000000")
            ),
        }
    )
    assert caller == Caller(
        "ann", {"name": "Ann", "roles": ["a", "b"], "exp": "1700000000"}, 1_700_000_000.0
    )


async def test_app_service_may_say_the_id_alone() -> None:
    assert await APP_SERVICE.identify({"x-ms-client-principal-id": "ann"}) == Caller("ann")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ms-client-principal-id": ""},
        {"x-ms-client-principal": principal(("name", "Ann"))},
        {"x-ms-signalr-userid": "ann"},
        {"authorization": "Bearer x"},
    ],
)
async def test_who_is_not_logged_in_gets_401(headers: dict[str, str]) -> None:
    await refused(APP_SERVICE, headers)


@given(
    st.one_of(
        st.text(min_size=1),
        st.binary(min_size=1).map(lambda data: b64encode(data).decode()),
        st.recursive(
            st.none() | st.booleans() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["claims"]), inner),
        ).map(lambda value: b64encode(json.dumps(value).encode()).decode()),
    )
)
async def test_a_principal_that_cannot_be_read_is_no_login(text: str) -> None:
    headers = {"x-ms-client-principal-id": "ann", "x-ms-client-principal": text}
    try:
        caller = await APP_SERVICE.identify(headers)
    except ProblemError as problem:
        assert problem.status == 401
    else:
        assert caller == Caller("ann")


@pytest.mark.parametrize("end", ["soon", "nan", "inf", "9" * 400])
async def test_a_session_without_a_readable_end_is_no_login(end: str) -> None:
    headers = {"x-ms-client-principal-id": "ann", "x-ms-client-principal": principal(("exp", end))}
    await refused(APP_SERVICE, headers)


async def test_a_bearer_token_says_who_the_user_is(
    issuer: TestIssuer, oidc: CallerIdentity
) -> None:
    token = issuer.token(sub="ann", name="Ann", exp=4_000_000_000)
    caller = await oidc.identify(SPOOFED | {"authorization": f"bearer {token}"})
    assert caller.user_id == "ann"
    assert caller.claims["name"] == "Ann"
    assert caller.session_end == 4_000_000_000.0


async def test_another_claim_can_be_the_user_id(issuer: TestIssuer) -> None:
    settings = NegotiateSettings(
        (Identity.OIDC,), issuer=Issuer(issuer.url, (AUDIENCE,)), user_id_claim="oid"
    )
    identity = CallerIdentity(settings)
    caller = await identity.identify({"authorization": f"Bearer {issuer.token(oid='o-1')}"})
    assert caller.user_id == "o-1"
    await refused(identity, {"authorization": f"Bearer {issuer.token()}"})


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "token"])
async def test_without_a_bearer_token_nobody_is_known(oidc: CallerIdentity, header: str) -> None:
    problem = await refused(oidc, SPOOFED | {"authorization": header})
    assert "error" not in problem.headers["WWW-Authenticate"]


@pytest.mark.parametrize("claims", [{"sub": None}, {"sub": ""}, {"sub": " "}, {"aud": "x"}])
async def test_a_token_that_proves_nothing_is_refused_and_the_log_says_why(
    issuer: TestIssuer,
    oidc: CallerIdentity,
    claims: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = issuer.token(**claims)
    with caplog.at_level(logging.WARNING):
        problem = await refused(oidc, {"authorization": f"Bearer {token}"})
    assert 'error="invalid_token"' in problem.headers["WWW-Authenticate"]
    assert problem.detail == "The bearer token is not valid."
    (record,) = caplog.records
    assert "refused" in record.getMessage()
    assert token not in record.getMessage()


async def test_a_token_that_ends_after_all_time_is_refused(
    oidc: CallerIdentity, issuer: TestIssuer
) -> None:
    await refused(oidc, {"authorization": f"Bearer {issuer.token(exp=10**400)}"})


async def test_who_does_not_log_in_may_be_anonymous_if_the_settings_say_so() -> None:
    both = CallerIdentity(NegotiateSettings((Identity.APP_SERVICE, Identity.ANONYMOUS)))
    assert await both.identify({"x-ms-client-principal-id": "ann"}) == Caller("ann")
    assert await both.identify({}) == Caller()


async def test_a_bad_token_is_not_taken_for_none(issuer: TestIssuer) -> None:
    settings = NegotiateSettings(
        (Identity.OIDC, Identity.ANONYMOUS), issuer=Issuer(issuer.url, (AUDIENCE,))
    )
    both = CallerIdentity(settings)
    assert await both.identify({}) == Caller()
    await refused(both, {"authorization": f"Bearer {issuer.token(aud='x')}"})


async def test_a_token_cannot_write_lines_into_the_log(
    issuer: TestIssuer, oidc: CallerIdentity, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.token(headers={"kid": "x\nERROR forged" + "y" * 1000})
    with caplog.at_level(logging.WARNING):
        await refused(oidc, {"authorization": f"Bearer {token}"})
    (record,) = caplog.records
    assert "forged" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < 400
