import json
import logging
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.functions.issuers.bearer import Issuer
from shared.functions.negotiate.caller import Caller, CallerIdentity
from shared.functions.negotiate.settings import Identity, NegotiateSettings
from shared.functions.problems import ProblemError
from shared.keys.client_token import ClaimValue
from tests.issuer import AUDIENCE, TestIssuer, running_issuer

SPOOFED = {
    "x-ms-client-principal-id": "admin",
    "x-ms-client-principal-name": "admin",
    "x-ms-signalr-userid": "admin",
    "x-user-id": "admin",
}
ANONYMOUS = CallerIdentity(NegotiateSettings((Identity.ANONYMOUS,)))
APP_SERVICE = CallerIdentity(NegotiateSettings((Identity.APP_SERVICE,)))


BEARER = {"authorization": "Bearer e30.e30.c2ln"}


def header(document: object) -> str:
    return b64encode(json.dumps(document).encode()).decode()


def principal(*claims: tuple[str, object]) -> str:
    listed = [{"typ": name, "val": value} for name, value in claims]
    return header({"auth_typ": "aad", "claims": listed, "name_typ": "name", "role_typ": "roles"})


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


@pytest.mark.parametrize(
    ("roles", "is_admin"),
    [
        ("admin", True),
        (["reader", "admin"], True),
        ("administrative", False),
        (["administrative"], False),
        ([], False),
        (7, False),
    ],
)
def test_a_claim_has_a_value_alone_or_among_others(roles: ClaimValue, is_admin: bool) -> None:
    assert Caller("ann", {"roles": roles}).has("roles", "admin") is is_admin
    assert not Caller("ann").has("roles", "admin")


async def test_an_anonymous_app_ignores_headers_that_anybody_can_send() -> None:
    assert await ANONYMOUS.identify(SPOOFED) == Caller()


async def test_app_service_says_who_the_user_is() -> None:
    caller = await APP_SERVICE.identify(
        {
            "x-ms-client-principal-id": "ann",
            "x-ms-client-principal": principal(("name", "Ann"), ("roles", "a"), ("roles", "b")),
        }
    )
    assert caller == Caller("ann", {"name": "Ann", "roles": ["a", "b"]})


async def test_app_service_may_say_the_id_alone() -> None:
    assert await APP_SERVICE.identify({"x-ms-client-principal-id": "ann"}) == Caller("ann")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ms-client-principal-id": ""},
        {"x-ms-client-principal": ""},
        {"x-ms-signalr-userid": "ann"},
        {"authorization": "Bearer x"},
    ],
)
async def test_who_is_not_logged_in_gets_401(headers: dict[str, str]) -> None:
    await refused(APP_SERVICE, headers)


def of_ann(*claims: tuple[str, object]) -> dict[str, str]:
    return {"x-ms-client-principal-id": "ann", "x-ms-client-principal": principal(*claims)}


@pytest.mark.parametrize("end", ["1", "1700000000", "1700000000.5", 4_000_000_000])
async def test_with_a_cookie_the_end_of_the_id_token_is_not_that_of_the_session(
    end: object,
) -> None:
    assert (await APP_SERVICE.identify(of_ann(("exp", end)))).session_end is None


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("1700000000", 1_700_000_000.0),
        ("1700000000.5", 1_700_000_000.5),
        (1_700_000_000, 1_700_000_000.0),
        *((end, None) for end in ("", "soon", "nan", "inf", "9" * 400, "2026-11-30T00:00:00Z")),
        (True, None),
        (None, None),
        ([1_700_000_000], None),
    ],
)
async def test_with_a_bearer_token_its_end_is_that_of_the_session_where_it_can_be_read(
    end: object, expected: float | None
) -> None:
    caller = await APP_SERVICE.identify(of_ann(("exp", end)) | BEARER)
    assert (caller.user_id, caller.session_end) == ("ann", expected)


async def test_an_end_that_comes_twice_or_not_at_all_is_not_known() -> None:
    twice = of_ann(("exp", "1700000000"), ("exp", "1700000001")) | BEARER
    assert (await APP_SERVICE.identify(twice)).session_end is None
    assert (await APP_SERVICE.identify(of_ann() | BEARER)).session_end is None
    alone = {"x-ms-client-principal-id": "ann"} | BEARER
    assert await APP_SERVICE.identify(alone) == Caller("ann")


@pytest.mark.parametrize(
    ("value", "text"),
    [("7", "7"), (7, "7"), (1.5, "1.5"), (True, "true"), ({"a": ["ö"]}, '{"a": ["ö"]}')],
)
async def test_a_claim_that_is_no_text_is_told_as_json(value: object, text: str) -> None:
    caller = await APP_SERVICE.identify(of_ann(("level", value), ("name", "Ann")))
    assert caller == Caller("ann", {"level": text, "name": "Ann"})


@pytest.mark.parametrize(
    "odd",
    [{"typ": "a", "val": None}, {"typ": "a"}, {"val": "a"}, {"typ": 1, "val": "a"}, None, "a", []],
    ids=str,
)
async def test_a_claim_that_says_nothing_costs_nobody_the_others(odd: object) -> None:
    document = {"auth_typ": "aad", "claims": [odd, {"typ": "name", "val": "Ann"}]}
    caller = await APP_SERVICE.identify(
        {"x-ms-client-principal-id": "ann", "x-ms-client-principal": header(document)}
    )
    assert caller == Caller("ann", {"name": "Ann"})


@pytest.mark.parametrize("name", ["Ann", "Anna", "Annab", "Annabe"])
async def test_base64_comes_in_either_alphabet_with_padding_or_without(name: str) -> None:
    document = {"auth_typ": "aad", "claims": [{"typ": f"{name}ÿþ?~", "val": "x"}]}
    data = json.dumps(document, ensure_ascii=False).encode()
    assert {"+", "/"} & set(b64encode(data).decode())
    for encode in (b64encode, urlsafe_b64encode):
        encoded = encode(data).decode()
        for sent in (encoded, encoded.rstrip("=")):
            caller = await APP_SERVICE.identify(
                {"x-ms-client-principal-id": "ann", "x-ms-client-principal": sent}
            )
            assert caller.claims == {f"{name}ÿþ?~": "x"}


STATIC_WEB_APPS = {
    "identityProvider": "github",
    "userId": "d75b260a64504067bfc5b2905e3b8182",
    "userDetails": "ann",
    "userRoles": ["anonymous", "authenticated", "admin"],
}


async def test_static_web_apps_say_who_the_user_is_in_the_principal_alone() -> None:
    # Its gateway adds a token of its own to what it passes on.
    headers = {"x-ms-client-principal": header(STATIC_WEB_APPS)} | BEARER
    assert await APP_SERVICE.identify(headers) == Caller(
        "d75b260a64504067bfc5b2905e3b8182",
        {
            "identityProvider": "github",
            "userDetails": "ann",
            "userRoles": ["anonymous", "authenticated", "admin"],
        },
    )


async def test_one_role_of_static_web_apps_is_a_list_and_odd_ones_are_left_out() -> None:
    for roles, expected in ((["admin"], ["admin"]), (["a", 1, None], ["a"]), (None, []), ("a", [])):
        document = STATIC_WEB_APPS | {"userRoles": roles, "userDetails": None}
        caller = await APP_SERVICE.identify({"x-ms-client-principal": header(document)})
        assert caller.user_id == STATIC_WEB_APPS["userId"]
        assert caller.claims == {"identityProvider": "github", "userRoles": expected}


async def test_a_user_of_static_web_apps_without_roles_is_known() -> None:
    document = {"identityProvider": "github", "userId": "u-1"}
    caller = await APP_SERVICE.identify({"x-ms-client-principal": header(document)})
    assert caller == Caller("u-1", {"identityProvider": "github", "userRoles": []})


async def test_the_platforms_own_header_says_the_user_id_before_the_principal() -> None:
    headers = {"x-ms-client-principal": header(STATIC_WEB_APPS), "x-ms-client-principal-id": "bob"}
    assert (await APP_SERVICE.identify(headers)).user_id == "bob"


@pytest.mark.parametrize("user_id", ["", " ", None, 7])
async def test_a_visitor_of_a_static_web_app_is_nobody(user_id: object) -> None:
    document = STATIC_WEB_APPS | {"userId": user_id, "userRoles": ["anonymous"]}
    headers = {"x-ms-client-principal": header(document)}
    await refused(APP_SERVICE, headers)
    both = CallerIdentity(NegotiateSettings((Identity.APP_SERVICE, Identity.ANONYMOUS)))
    assert await both.identify(headers) == Caller()


@given(
    st.one_of(
        st.text(min_size=1),
        st.binary(min_size=1).map(lambda data: b64encode(data).decode()),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["claims", "typ", "val", "exp", "userId", "userRoles"]), inner
                )
            ),
        ).map(header),
    )
)
async def test_whatever_the_principal_is_the_user_connects(text: str) -> None:
    for more in ({}, BEARER):
        headers = {"x-ms-client-principal-id": "ann", "x-ms-client-principal": text}
        assert (await APP_SERVICE.identify(headers | more)).user_id == "ann"


UNREADABLE = ["?", "e", "e30=e30=", b64encode(b"\xff").decode(), header([]), header(None)]
DEEP = b64encode(b'{"claims":' + b"[" * 200_000).decode()


@pytest.mark.parametrize("text", [*UNREADABLE, DEEP], ids=range(len(UNREADABLE) + 1))
async def test_a_principal_that_cannot_be_read_costs_the_claims_alone_and_is_logged(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"x-ms-client-principal-id": "ann", "x-ms-client-principal": text}
    assert await APP_SERVICE.identify(headers) == Caller("ann")
    (record,) = caplog.records
    assert record.getMessage().startswith("The header x-ms-client-principal cannot be read: ")


@pytest.mark.parametrize("text", [principal(("name", "Ann")), *UNREADABLE])
@pytest.mark.parametrize(
    "identities", [(Identity.APP_SERVICE,), (Identity.APP_SERVICE, Identity.ANONYMOUS)]
)
async def test_who_is_logged_in_as_nobody_is_not_asked_to_log_in_again(
    text: str, identities: tuple[Identity, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ProblemError) as caught:
        await CallerIdentity(NegotiateSettings(identities)).identify(
            {"x-ms-client-principal": text}
        )
    assert caught.value.status == 500
    assert caught.value.headers == {}
    assert "there is no header x-ms-client-principal-id" in caplog.records[-1].getMessage()
    assert "x-ms" not in caught.value.detail


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
