"""The least that a Function App in Python can be which also speaks HTTP to somebody."""

import azure.functions as func
import requests

__all__ = ["app", "requests"]

app = func.FunctionApp()


@app.route("negotiate", auth_level=func.AuthLevel.ANONYMOUS)
async def negotiate(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
    """Do nothing."""
    return func.HttpResponse("")
