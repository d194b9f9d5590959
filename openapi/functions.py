"""The function that hands out the API's description."""

import azure.functions as func

from problems import http_function, json_response

__all__ = ["blueprint"]


def blueprint() -> func.Blueprint:
    """Return the function that hands out the API's description."""
    functions = func.Blueprint()

    @functions.function_name("openapi")
    @functions.route("openapi.json", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("GET")
    async def description(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        # Made when somebody asks, so that no start of the app waits for it.
        from openapi.document import document_text  # noqa: PLC0415  see above

        return json_response(document_text())

    return functions
