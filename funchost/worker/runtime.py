"""The worker in this process: Microsoft's library, driven as its proxy drives it in Azure.

The proxy calls five coroutines with FunctionRpc messages; the same four that matter on one machine
are called here (init, metadata, load, invocation), so an app is indexed and invoked by the code
that runs it in Azure. For the last of them the library has a second interface, which is used where
it is there. The library keeps its state in modules: one app a process.
"""

import asyncio
import json
import logging
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import azure_functions_runtime as library  # type: ignore[import-untyped]  # ships no py.typed

from ..log import RUNNING
from . import protobuf, protos
from .functions import Function, IndexingError, failed_by
from .interface import Interface
from .messages import HttpRequest, HttpResponse, new_invocation_id

if TYPE_CHECKING:
    from .native import NativeInterface

__all__ = ["Worker"]

type _Invoke = Callable[[Function, HttpRequest, str], Awaitable[HttpResponse]]

_log: Final = logging.getLogger("funchost")

_HTTP_TRIGGER: Final = "httpTrigger"
_HTTP_OUTPUT: Final = "http"
# Written by a worker that wants requests by HTTP rather than in messages (FastAPI extension).
_HTTP_STREAMS: Final = "HttpUri"
# What the worker library appends to failed imports: to all, and only fit for some.
_SEARCH_PATH: Final = " Current sys.path:"
_NO_MODULE: Final = ". Cannot find module."
_FRAME: Final = re.compile(
    r'^  File "(?P<file>.+)", line (?P<line>[0-9]+)(?:, in <module>)?$', re.MULTILINE
)
_PACKAGES: Final = {"site-packages", ".python_packages"}


class Worker:
    """Loads the app of a directory and runs its functions. One app a process.

    Once one is started, others that are called with messages can run its functions too.

    Args:
        interface: How the library is called; `None` for the newest interface that it has.
    """

    def __init__(self, interface: Interface | None = None) -> None:
        self.functions: tuple[Function, ...] = ()
        self._interface = interface
        self._native: NativeInterface | None = None
        self._run: _Invoke = protobuf.invoke

    async def start(self, app_dir: Path) -> tuple[Function, ...]:
        """Index the app and return its functions, sorted by name as the Functions host does.

        Puts `app_dir` first on `sys.path` and makes it the working directory, as the worker does.
        The number of threads for sync functions is the library's setting
        `PYTHON_THREADPOOL_THREAD_COUNT`.

        Raises:
            IndexingError: The app raised while it was imported, or has an invalid function; or the
                library lacks the interface.
        """
        script = _make_importable(app_dir)
        library.start_threadpool_executor()
        try:
            if self._interface is not Interface.PROTOBUF:
                self._go_native()
            self.functions = await self._index(script)
        except BaseException:
            self.stop()
            raise
        return self.functions

    async def invoke(
        self, function: Function, request: HttpRequest, invocation_id: str | None = None
    ) -> HttpResponse:
        """Run an HTTP function.

        Sync functions run in the library's thread pool, async ones on the running event loop.
        `invocation_id` is a new UUID when it is `None`.

        Raises:
            InvocationError: The function failed.
        """
        if invocation_id is None:
            invocation_id = new_invocation_id()
        # The library sets it for a part of this time only; log records of the rest name it too.
        outer = library.invocation_id_cv.set(invocation_id)
        RUNNING[invocation_id] = function.name
        try:
            return await self._run(function, request, invocation_id)
        except SystemExit as error:
            # The library lets it through; in Azure it ends the worker, and the host starts another.
            raise failed_by(error) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # By the function itself: the library lets it through too, and nobody would be answered.
            raise failed_by(error) from error
        finally:
            RUNNING.pop(invocation_id, None)
            library.invocation_id_cv.reset(outer)

    def stop(self) -> None:
        """Stop the thread pool. Blocks until the sync functions that run have returned."""
        library.stop_threadpool_executor()
        if self._native is not None:
            self._native.stop()

    def _go_native(self) -> None:
        try:
            from .native import NativeInterface  # noqa: PLC0415  a version may not have it
        except ImportError as error:
            if self._interface is Interface.NATIVE:
                raise IndexingError(
                    f"azure-functions-runtime {version('azure-functions-runtime')} has no native"
                    f" interface ({error}): install 1.3.0, or start the host with --worker protobuf"
                ) from error
            _log.debug("the worker library has no native interface, so it gets messages")
            return
        self._native = NativeInterface()
        self._run = self._native.invoke

    async def _index(self, script: Path) -> tuple[Function, ...]:
        directory = str(script.parent)
        started: protos.WorkerInitResponse = await library.worker_init_request(
            protos.WorkerRequest(
                protos.StreamingMessage(
                    worker_init_request=protos.WorkerInitRequest(
                        host_version="4", function_app_directory=directory
                    )
                ),
                {"host": "127.0.0.1", "protos": protos},
            )
        )
        _raise_for(started.result, script.parent)
        if _HTTP_STREAMS in started.capabilities:
            raise IndexingError(
                "the app turns on HTTP streams (azurefunctions-extensions-http-fastapi), "
                "which this host does not speak; use func start for it"
            )
        indexed: protos.FunctionMetadataResponse = await library.functions_metadata_request(
            protos.WorkerRequest(
                protos.StreamingMessage(
                    functions_metadata_request=protos.FunctionsMetadataRequest(directory)
                )
            )
        )
        _raise_for(indexed.result, script.parent)
        found = indexed.function_metadata_results or []
        for metadata in found:
            loaded: protos.FunctionLoadResponse = await library.function_load_request(
                protos.WorkerRequest(
                    protos.StreamingMessage(
                        function_load_request=protos.FunctionLoadRequest(
                            metadata.function_id, metadata
                        )
                    )
                )
            )
            _raise_for(loaded.result, script.parent)
        return tuple(sorted(map(_function, found), key=lambda function: function.name.lower()))


def _make_importable(app_dir: Path) -> Path:
    """Make `app_dir` the place that the app is imported from; return the path of its script."""
    app_dir = app_dir.resolve()
    script = app_dir / os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not script.is_file():
        raise IndexingError(f"no {script.name} in {app_dir}; name the app's folder (--app-dir)")
    known = sys.modules.get(script.stem)
    if known is not None and Path(getattr(known, "__file__", None) or "").resolve() != script:
        # The import would return the module of the other app without a word.
        raise IndexingError(f"this process already holds another module {script.stem}")
    directory = str(app_dir)
    if directory in sys.path:
        sys.path.remove(directory)
    sys.path.insert(0, directory)
    os.chdir(app_dir)
    return script


def _raise_for(result: protos.StatusResult, app_dir: Path) -> None:
    if result.status == protos.StatusResult.Success:
        return
    message, stack_trace = protobuf.reason(result)
    line = _line(stack_trace, app_dir)
    message = _without_additions(message, line)
    raise IndexingError(f"{line}: {message}" if line else message, stack_trace)


def _without_additions(message: str, line: str) -> str:
    """Return what the app's error says itself, once."""
    is_missing = message.startswith(ModuleNotFoundError.__name__)
    message, _, _ = message.partition(_SEARCH_PATH if is_missing else _NO_MODULE)
    # Python says of text that is no Python where it is, which `line` does already.
    file, _, number = line.rpartition(":")
    return message.removesuffix(f" ({Path(file).name}, line {number})")


def _line(stack_trace: str, app_dir: Path) -> str:
    """Return file and line of the app at which its import failed, as `events.py:12`.

    It is the last line at the top level of a module of the app, which is where a wrong handler or
    setting stands; what it calls may be a library's. For text that is no Python, it is that line.
    """
    lines = [
        f"{file.relative_to(app_dir)}:{match['line']}"
        for match in _FRAME.finditer(stack_trace)
        if (file := Path(match["file"])).is_relative_to(app_dir)
        and not _PACKAGES.intersection(file.parts)
    ]
    return lines[-1] if lines else ""


def _function(metadata: protos.RpcFunctionMetadata) -> Function:
    bindings: list[Mapping[str, object]] = [json.loads(text) for text in metadata.raw_bindings]
    trigger = next((b for b in bindings if str(b.get("type", "")).lower().endswith("trigger")), {})
    kind = str(trigger.get("type", ""))
    if kind != _HTTP_TRIGGER:
        return Function(metadata.name, metadata.function_id, kind)
    output = next((b for b in bindings if b.get("type") == _HTTP_OUTPUT), {})
    methods = trigger.get("methods")
    return Function(
        name=metadata.name,
        id=metadata.function_id,
        trigger=kind,
        route=str(trigger.get("route") or metadata.name),
        methods=tuple(str(m).upper() for m in methods) if isinstance(methods, list) else (),
        auth_level=str(trigger.get("authLevel") or "FUNCTION").upper(),
        request_parameter=str(trigger.get("name", "")),
        response_binding=str(output.get("name", "")),
        unserved=tuple(
            f"{b.get('name')}: {b.get('type')}"
            for b in bindings
            if b is not trigger and b is not output
        ),
        is_http=True,
    )
