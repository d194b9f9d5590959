"""The commands of the Azure CLI that fixes name."""

from urllib.parse import urlsplit

from shared.settings.endpoint import Endpoint, is_emulator

__all__ = ["emulator_option", "find_resource", "function_app", "signalr"]


def signalr(command: str, endpoint: Endpoint, arguments: str) -> str:
    """Return `az signalr …` for the resource of an endpoint.

    Args:
        command: What stands after `az signalr`.
        endpoint: The endpoint.
        arguments: What stands after the resource.
    """
    return (
        f"az signalr {command} --name {endpoint.resource_name}"
        f" --resource-group <resource group> {arguments}"
    )


def find_resource(endpoint: Endpoint) -> str:
    """Return the command that prints the resource id, which has the resource group in it."""
    host = urlsplit(endpoint.url).hostname
    return f"az signalr list --query \"[?hostName=='{host}'].id\" --output tsv"


def function_app(command: str, arguments: str) -> str:
    """Return `az functionapp …` for the Function App.

    Args:
        command: What stands after `az functionapp`.
        arguments: What stands after the app.
    """
    return (
        f"az functionapp {command} --name <function app> --resource-group <resource group>"
        f" {arguments}"
    ).rstrip()


def emulator_option(endpoint: Endpoint, arguments: str) -> str:
    """Return a line about the emulator's options if the endpoint is one, else ""."""
    if not is_emulator(endpoint.url):
        return ""
    return f"\nsignalr-emulator {arguments}   # the emulator"
