"""What each answer of an identity endpoint means, and what is told of it."""

import pytest

from shared.identity.answers import TokenRequest, read_answer
from shared.identity.failures import Cause, TokenFailure, explain_failure
from shared.settings.credential import CredentialKind, CredentialSettings

APP_SERVICE = "http://127.0.0.1:41000/msi/token"
IMDS = "http://169.254.169.254/metadata/identity/oauth2/token"
ENTRA = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
MANAGED = CredentialSettings(CredentialKind.MANAGED_IDENTITY)
NAMED = CredentialSettings(CredentialKind.MANAGED_IDENTITY, client_id="c-1")
APP = CredentialSettings(CredentialKind.CLIENT_SECRET, "c", "t", "the-secret")
PAGE = "<html><head><title>Log in\n first</title></head></html>"
TOKEN = '{"access_token": "eyJhbGciOi.eyJvaWQiOi.c2ln", "expires_on": %s}'
CLIENT_ID = "AzureSignalRConnectionString__clientId"
REFUSED = "[Errno 111] Connection refused"
VAGUE = "App Service managed identity configuration not found in environment. (invalid_scope)"


def explained(
    status: int,
    body: str,
    *,
    url: str = APP_SERVICE,
    settings: CredentialSettings = MANAGED,
    error: str = VAGUE,
) -> TokenFailure:
    request = TokenRequest(url, read_answer(status, "", body, ("header-of-the-endpoint",)))
    return explain_failure(error, request, settings)


@pytest.mark.parametrize(
    ("url", "status", "body", "cause", "said", "remedy"),
    [
        (APP_SERVICE, 400, '{"message": "None."}', Cause.NO_IDENTITY, "400 (None)", CLIENT_ID),
        (APP_SERVICE, 400, "", Cause.NO_IDENTITY, "answered 400", "identity assign"),
        (APP_SERVICE, 401, "", Cause.REFUSED, "refuses IDENTITY_HEADER", "restart the app"),
        (APP_SERVICE, 403, "{}", Cause.REFUSED, "refuses IDENTITY_HEADER", "IDENTITY_ENDPOINT"),
        (APP_SERVICE, 404, "", Cause.ANOTHER_SERVER, "404 with nothing", "IDENTITY_ENDPOINT"),
        (APP_SERVICE, 409, "", Cause.OTHER, f"409, and azure-identity says: {VAGUE}", "restart"),
        (APP_SERVICE, 418, "tea.", Cause.OTHER, "418 (tea)", "restart the app"),
        (APP_SERVICE, 429, "", Cause.BUSY, "answered 429", "passes by itself"),
        (APP_SERVICE, 500, '{"message": "b"}', Cause.FAULT, "500 (b)", "passes by itself"),
        (APP_SERVICE, 500, "", Cause.FAULT, "answered 500", "passes by itself"),
        (APP_SERVICE, 503, "later", Cause.FAULT, "503 (later)", "passes by itself"),
        (APP_SERVICE, 502, PAGE, Cause.ANOTHER_SERVER, "502 with HTML (Log in first)", "A proxy"),
        (APP_SERVICE, 403, PAGE, Cause.ANOTHER_SERVER, "403 with HTML", "A proxy"),
        (APP_SERVICE, 302, "", Cause.ANOTHER_SERVER, "302 with nothing", "A proxy"),
        (APP_SERVICE, 200, PAGE, Cause.ANOTHER_SERVER, "200 with HTML (Log in first)", "A proxy"),
        (APP_SERVICE, 200, "<b>", Cause.ANOTHER_SERVER, "answered 200 with HTML", "A proxy"),
        (APP_SERVICE, 200, "", Cause.ANOTHER_SERVER, "200 with nothing", "IDENTITY_ENDPOINT"),
        (APP_SERVICE, 200, "null", Cause.ANOTHER_SERVER, "200 with text", "IDENTITY_ENDPOINT"),
        (APP_SERVICE, 200, "[]", Cause.ANOTHER_SERVER, "200 with text", "IDENTITY_ENDPOINT"),
        (APP_SERVICE, 200, "[" * 10**5, Cause.ANOTHER_SERVER, "200 with text", "A proxy"),
        (APP_SERVICE, 200, "{}", Cause.ANOTHER_SERVER, "200 with no access_token", "A proxy"),
        (APP_SERVICE, 200, TOKEN % 0, Cause.ANOTHER_SERVER, "200 with no expires_on", "A proxy"),
        (APP_SERVICE, 200, TOKEN % '"2026"T', Cause.ANOTHER_SERVER, "with text", "A proxy"),
        (APP_SERVICE, 200, TOKEN % '"11-29"', Cause.ANOTHER_SERVER, "no number of seconds", ""),
        (APP_SERVICE, 200, TOKEN % 9, Cause.OTHER, "200, and azure-identity says", "restart"),
        (IMDS, 400, '{"error": "e", "error_description": "d"}', Cause.NO_IDENTITY, "400 (d)", ""),
        (IMDS, 403, "", Cause.REFUSED, "answered 403", "A firewall or a proxy"),
        (IMDS, 404, "", Cause.FAULT, "answered 404", "passes by itself"),
        (IMDS, 410, "", Cause.FAULT, "answered 410", "passes by itself"),
        (IMDS, 429, "", Cause.BUSY, "answered 429", "passes by itself"),
        (IMDS, 504, "", Cause.FAULT, "answered 504", "passes by itself"),
        (IMDS, 404, PAGE, Cause.ANOTHER_SERVER, "404 with HTML", "AUTHORITY_HOST"),
        (IMDS, 405, "", Cause.OTHER, "405, and azure-identity says", "settings"),
        (ENTRA, 502, PAGE, Cause.ANOTHER_SERVER, "502 with HTML", "HTTPS_PROXY"),
        (ENTRA, 200, "{}", Cause.OTHER, f"200, and azure-identity says: {VAGUE}", "settings"),
        (ENTRA, 503, "", Cause.FAULT, "answered 503", "passes by itself"),
        (ENTRA, 400, '{"error": "bad_client"}', Cause.OTHER, "400 (bad_client)", "settings"),
        (ENTRA, 403, '{"error": {"code": "c"}}', Cause.OTHER, "answered 403 (c)", "settings"),
    ],
)  # fmt: skip
def test_what_an_answer_means(
    url: str,
    status: int,
    body: str,
    *,
    cause: Cause,
    said: str,
    remedy: str,
) -> None:
    failure = explained(status, body, url=url)
    who = "Entra ID at https://login.microsoftonline.com" if url == ENTRA else url
    assert failure.cause is cause
    assert who in failure.said
    assert said in failure.said
    assert remedy in failure.remedy
    assert "oauth2/v2.0" not in str(failure)


def test_an_identity_that_is_named_is_the_one_to_assign() -> None:
    remedy = explained(400, "", settings=NAMED).remedy
    assert "the identity with the client id c-1" in remedy
    assert f"or correct {CLIENT_ID}: a client id, not an object id" in remedy


@pytest.mark.parametrize(
    ("url", "error", "cause", "said"),
    [
        (
            APP_SERVICE,
            f"HTTPConnectionPool(port=9): Max retries with url: /msi/token?r=x ({REFUSED}'))",
            Cause.NO_CONNECTION,
            f"nothing answers at the identity endpoint {APP_SERVICE} ({REFUSED})",
        ),
        (APP_SERVICE, "a\nConnection aborted.", Cause.NO_CONNECTION, "(Connection aborted)"),
        (
            APP_SERVICE,
            "a\nRead timed out.",
            Cause.NO_TIME,
            f"{APP_SERVICE} does not answer in time",
        ),
        (
            IMDS,
            "a\n[Errno 101] Network is unreachable",
            Cause.NO_ENDPOINT,
            "Network is unreachable",
        ),
        (IMDS, "a\ntimed out", Cause.NO_ENDPOINT, "does not answer in time"),
        (ENTRA, "[Errno -2] Name or service not known", Cause.NO_CONNECTION, "[Errno -2] Name or"),
        (ENTRA, "timed out", Cause.NO_TIME, "microsoftonline.com does not answer in time"),
    ],
)
def test_no_answer(url: str, error: str, cause: Cause, said: str) -> None:
    failure = explain_failure(error, TokenRequest(url), MANAGED)
    assert failure.cause is cause
    assert said in failure.said
    assert failure.remedy


def test_entra_is_quoted_with_code_and_first_sentence() -> None:
    error = (
        "Authentication failed: AADSTS7000215: Invalid client secret provided for app 'a.b'."
        " Ensure the secret being sent is the value. Trace ID: 1\r\nCorrelation ID: 2"
    )
    failure = explain_failure(error, TokenRequest(ENTRA), APP)
    assert str(failure) == (
        "AADSTS7000215: Invalid client secret provided for app 'a.b'. What the code means:"
        " https://login.microsoftonline.com/error?code=7000215"
    )
    assert (failure.cause, failure.code) == (Cause.ENTRA, "7000215")


@pytest.mark.parametrize(
    ("error", "settings", "cause"),
    [
        ("No managed identity endpoint found. \nThe Target", MANAGED, Cause.NO_ENDPOINT),
        ("ManagedIdentityCredential authentication unavailable", None, Cause.NO_ENDPOINT),
        ("DefaultAzureCredential failed:\n\tA: b\n\tC: d", CredentialSettings(), Cause.NO_LOGIN),
        ("No such file: '/app.pem'", APP, Cause.OTHER),
    ],
)
def test_a_failure_before_any_request(
    error: str, settings: CredentialSettings | None, cause: Cause
) -> None:
    failure = explain_failure(error, None, settings)
    assert failure.cause is cause
    assert failure.said.split() == error.split()
    assert failure.remedy


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body",
    [
        TOKEN % '"eyJhbGciOi.eyJvaWQiOi.c2ln"',
        '{"message": "given: header-of-the-endpoint, eyJhbGciOi.eyJvaWQiOi.c2ln"}',
        "header-of-the-endpoint eyJhbGciOi.eyJvaWQiOi.c2ln",
        "<title>header-of-the-endpoint</title>",
    ],
)
def test_nothing_secret_is_told(status: int, body: str) -> None:
    said = repr(explained(status, body))
    for secret in ("header-of-the-endpoint", "eyJ", "c2ln"):
        assert secret not in said


def test_a_client_secret_is_not_told() -> None:
    assert "the-secret" not in repr(explain_failure("not the-secret", None, APP))


@pytest.mark.parametrize("body", ['{"message": "%s"}', "%s", "<title>%s</title>"])
def test_what_an_endpoint_says_stays_one_short_line(body: str) -> None:
    said = str(explained(500, body % ("a\x1b[31m\u2028\u202e\r\n" + "b" * 10_000)))
    assert said.isprintable()
    assert len(said) < 600
