"""The FunctionRpc messages that the worker library reads and makes, as plain objects.

Source: FunctionRpc.proto of Azure/azure-functions-language-worker-protobuf. The library never
touches the wire: it reads attributes, calls `WhichOneof` and constructs messages by keyword. So
the module itself can be handed to it as `protos`, and protobuf need not be installed. Only the
fields that the library or this host use are here. A field that is not set is `None`.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import builtins

__all__ = [
    "BindingInfo",
    "FunctionEnvironmentReloadResponse",
    "FunctionLoadRequest",
    "FunctionLoadResponse",
    "FunctionMetadataResponse",
    "FunctionsMetadataRequest",
    "InvocationRequest",
    "InvocationResponse",
    "NullableBool",
    "NullableDouble",
    "NullableString",
    "NullableTimestamp",
    "ParameterBinding",
    "RetryContext",
    "RpcException",
    "RpcFunctionMetadata",
    "RpcHttp",
    "RpcHttpCookie",
    "RpcRetryOptions",
    "RpcTraceContext",
    "StatusResult",
    "StreamingMessage",
    "Timestamp",
    "TypedData",
    "WorkerInitRequest",
    "WorkerInitResponse",
    "WorkerMetadata",
    "WorkerRequest",
]


# Values


@dataclass(slots=True)
class Timestamp:
    """`google.protobuf.Timestamp`: seconds since the Unix epoch."""

    seconds: int = 0


@dataclass(slots=True)
class NullableString:
    """A string that may be absent."""

    value: str | None = None


@dataclass(slots=True)
class NullableBool:
    """A boolean that may be absent."""

    value: bool | None = None


@dataclass(slots=True)
class NullableDouble:
    """A number that may be absent."""

    value: float | None = None


@dataclass(slots=True)
class NullableTimestamp:
    """A point in time that may be absent."""

    value: Timestamp | None = None


@dataclass(slots=True)
class TypedData:
    """One value of a binding: at most one field is set, and `WhichOneof("data")` names it."""

    http: "RpcHttp | None" = None
    bytes: "builtins.bytes | None" = None
    string: str | None = None
    json: str | None = None
    int: "builtins.int | None" = None
    double: float | None = None

    @property
    def TypedData(self) -> "TypedData":  # noqa: N802 - the name the library looks up
        """This message: the library asks for it first, and falls back on an exception."""
        return self

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Name the field that is set, `None` when none is."""
        # The two kinds of an HTTP invocation come first: this runs on every request.
        if self.http is not None:
            return "http"
        if self.bytes is not None:
            return "bytes"
        for name in self.__slots__:
            if getattr(self, name) is not None:
                return name
        return None


# HTTP


class SameSite(IntEnum):
    """`RpcHttpCookie.SameSite`; its zero value `None` (attribute not written) is set below."""

    Unset = 0
    Lax = 1
    Strict = 2
    ExplicitNone = 3


@dataclass(slots=True)
class RpcHttpCookie:
    """A cookie that a function sets."""

    SameSite: ClassVar[type[SameSite]] = SameSite

    name: str = ""
    value: str = ""
    domain: NullableString | None = None
    path: NullableString | None = None
    expires: NullableTimestamp | None = None
    secure: NullableBool | None = None
    http_only: NullableBool | None = None
    same_site: int = 0
    max_age: NullableDouble | None = None


@dataclass(slots=True)
class RpcHttp:
    """An HTTP request on its way to a function, or the response on its way back."""

    method: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: TypedData | None = None
    params: dict[str, str] = field(default_factory=dict)
    status_code: str = ""
    query: dict[str, str] = field(default_factory=dict)
    enable_content_negotiation: bool = False
    cookies: list[RpcHttpCookie] | None = None


# Bindings and functions


@dataclass(slots=True)
class BindingInfo:
    """The kind and the direction of a binding. The direction `in` = 0 is set below."""

    inout: ClassVar[int] = 2
    out: ClassVar[int] = 1

    undefined: ClassVar[int] = 0
    string: ClassVar[int] = 1
    binary: ClassVar[int] = 2
    stream: ClassVar[int] = 3

    type: str = ""
    direction: int = 0
    data_type: int = 0
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ParameterBinding:
    """The value of one function parameter."""

    name: str
    data: TypedData | None = None

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Name the field of the group `rpc_data` that is set, `None` when none is."""
        return "data" if self.data is not None else None


@dataclass(slots=True)
class RpcRetryOptions:
    """The retry policy of a function. Intervals are in seconds, as `timedelta`."""

    max_retry_count: int = 0
    retry_strategy: str | int = 0
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass(slots=True)
class RpcFunctionMetadata:
    """A function as the worker indexed it; `raw_bindings` are JSON objects, one a binding."""

    name: str = ""
    function_id: str = ""
    directory: str = ""
    script_file: str = ""
    entry_point: str = ""
    language: str = ""
    is_proxy: bool = False
    managed_dependency_enabled: bool = False
    bindings: dict[str, BindingInfo] = field(default_factory=dict)
    raw_bindings: list[str] = field(default_factory=list)
    retry_options: RpcRetryOptions | None = None
    properties: dict[str, str] = field(default_factory=dict)


# Results


@dataclass(slots=True)
class RpcException:
    """An exception on the worker's side."""

    message: str = ""
    stack_trace: str = ""
    source: str = ""


@dataclass(slots=True)
class StatusResult:
    """How a request to the worker ended."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1
    Cancelled: ClassVar[int] = 2

    status: int = 0
    result: str = ""
    exception: RpcException | None = None


# Messages from the host


@dataclass(slots=True)
class WorkerInitRequest:
    """Start the worker and index the app in `function_app_directory`."""

    host_version: str
    function_app_directory: str
    capabilities: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class FunctionsMetadataRequest:
    """Ask for the functions that the worker indexed."""

    function_app_directory: str


@dataclass(slots=True)
class FunctionLoadRequest:
    """Load one function."""

    function_id: str
    metadata: RpcFunctionMetadata


@dataclass(slots=True)
class RpcTraceContext:
    """W3C trace context of an invocation."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RetryContext:
    """Which attempt an invocation is. HTTP functions have one attempt only."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException | None = None


@dataclass(slots=True)
class InvocationRequest:
    """Run a function."""

    invocation_id: str
    function_id: str
    input_data: list[ParameterBinding]
    trace_context: RpcTraceContext
    retry_context: RetryContext
    trigger_metadata: dict[str, TypedData]


@dataclass(slots=True)
class StreamingMessage:
    """The envelope: exactly one field is set."""

    invocation_request: InvocationRequest | None = None
    worker_init_request: WorkerInitRequest | None = None
    functions_metadata_request: FunctionsMetadataRequest | None = None
    function_load_request: FunctionLoadRequest | None = None


@dataclass(slots=True)
class WorkerRequest:
    """What the worker's entry points take: a message, and what the worker's proxy adds at init."""

    request: StreamingMessage
    properties: dict[str, object] | None = None


# Messages from the worker


@dataclass(slots=True)
class WorkerMetadata:
    """Which worker answers."""

    runtime_name: str = ""
    runtime_version: str = ""
    worker_version: str = ""
    worker_bitness: str = ""
    custom_properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class WorkerInitResponse:
    """The answer to `WorkerInitRequest`."""

    capabilities: dict[str, str]
    worker_metadata: WorkerMetadata
    result: StatusResult


@dataclass(slots=True)
class FunctionEnvironmentReloadResponse:
    """The answer to a reload, which this host never asks for."""

    result: StatusResult
    capabilities: dict[str, str] = field(default_factory=dict)
    worker_metadata: WorkerMetadata | None = None


@dataclass(slots=True)
class FunctionMetadataResponse:
    """The answer to `FunctionsMetadataRequest`. No list at all means that nothing was indexed."""

    function_metadata_results: list[RpcFunctionMetadata] | None
    result: StatusResult
    use_default_metadata_indexing: bool = False


@dataclass(slots=True)
class FunctionLoadResponse:
    """The answer to `FunctionLoadRequest`."""

    function_id: str
    result: StatusResult


@dataclass(slots=True)
class InvocationResponse:
    """The answer to `InvocationRequest`."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)


# Names that the protocol has and Python's grammar does not let a class body write.
setattr(BindingInfo, "in", 0)
setattr(SameSite, "None", SameSite.Unset)
