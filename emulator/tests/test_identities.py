import pytest
from signalr_emulator.config import SYSTEM_ASSIGNED
from signalr_emulator.errors import UnknownIdentityError
from signalr_emulator.identities import Identities, Identity, IdentityKind

USER_ASSIGNED = Identity(IdentityKind.USER_ASSIGNED, "Principal", "Client", "/subscriptions/s/x")


def test_identities_by_what_names_them() -> None:
    identities = Identities([SYSTEM_ASSIGNED, USER_ASSIGNED])
    assert identities.system_assigned() == SYSTEM_ASSIGNED
    assert identities.by_client_id("CLIENT") == USER_ASSIGNED
    assert identities.by_principal_id("principal") == USER_ASSIGNED
    assert identities.by_resource_id("/Subscriptions/s/X") == USER_ASSIGNED


def test_unknown_identities() -> None:
    with pytest.raises(UnknownIdentityError):
        Identities([USER_ASSIGNED]).system_assigned()
    with pytest.raises(UnknownIdentityError):
        Identities([SYSTEM_ASSIGNED]).by_client_id(SYSTEM_ASSIGNED.client_id)
