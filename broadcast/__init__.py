"""Messages, groups and connections: what is asked, in which order, and what became of it."""

import azure.functions as func

from broadcast.connections import add_connection_functions
from broadcast.functions import add_list_functions
from shared.aio import SignalRServiceClient
from shared.settings import Settings

__all__ = ["blueprint"]


def blueprint(service: SignalRServiceClient, settings: Settings) -> func.Blueprint:
    """Return the functions that use the service on behalf of a caller with a function key.

    Args:
        service: Does what is asked.
        settings: Which hubs there are.
    """
    functions = func.Blueprint()
    add_list_functions(functions, service, settings)
    add_connection_functions(functions, service, settings)
    return functions
