"""The app with telemetry, where every library writes down all that it can."""

import logging
import runpy
from pathlib import Path

import azure.functions as func

# The local host keeps some of them quieter; an operator who looks for a fault may not.
for name in ("", "asyncio", "azure", "azure.core", "azure.identity", "msal", "requests", "urllib3"):
    logging.getLogger(name).setLevel(logging.DEBUG)

_APP = Path(__file__).parents[2] / "e2e" / "telemetry_app" / "function_app.py"
app: func.FunctionApp = runpy.run_path(str(_APP))["app"]
