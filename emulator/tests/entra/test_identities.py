import pytest
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.entra.identities import Identities, Identity, IdentityKind
from signalr_emulator.errors import UnknownIdentityError

USER_ASSIGNED = Identity(IdentityKind.USER_ASSIGNED, "Principal", "Client", "/subscriptions/s/x")


@pytest.mark.parametrize(
    ("query", "identity"),
    [
        ({}, SYSTEM_ASSIGNED),
        ({"resource": "https://signalr.azure.com"}, SYSTEM_ASSIGNED),
        ({"client_id": "CLIENT"}, USER_ASSIGNED),
        ({"object_id": "principal"}, USER_ASSIGNED),
        ({"principal_id": "principal"}, USER_ASSIGNED),
        ({"mi_res_id": "/Subscriptions/s/X"}, USER_ASSIGNED),
        ({"msi_res_id": "/subscriptions/s/x"}, USER_ASSIGNED),
        ({"object_id": "other", "client_id": "client"}, USER_ASSIGNED),
    ],
    ids=str,
)
def test_identities_by_what_names_them(query: dict[str, str], identity: Identity) -> None:
    assert Identities([SYSTEM_ASSIGNED, USER_ASSIGNED]).named_by(query) == identity


@pytest.mark.parametrize(
    ("identity", "query"),
    [
        (USER_ASSIGNED, {}),
        (USER_ASSIGNED, {"client_id": ""}),
        (USER_ASSIGNED, {"client_id": "other", "object_id": "principal"}),
        (SYSTEM_ASSIGNED, {"client_id": SYSTEM_ASSIGNED.client_id}),
    ],
    ids=str,
)
def test_unknown_identities(identity: Identity, query: dict[str, str]) -> None:
    with pytest.raises(UnknownIdentityError):
        Identities([identity]).named_by(query)
