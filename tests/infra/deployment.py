"""What a deployment of infra/ would ask of Azure Resource Manager, without asking."""

import json
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tree_sitter import Node

from tests.infra.bicep import BicepError, Declaration, File, Sources, children, read, text
from tests.infra.expressions import SUBSCRIPTION, Lookup, Value, evaluate, guid, iterations

type _View = dict[str, Any]
"""A resource or module as expressions see it."""

type _Make = Callable[[Declaration, dict[str, Any]], _View]

_KINDS: Final = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}
_LIMITS: Final[Mapping[str, Callable[[Value, Value], bool]]] = {
    "allowed": lambda value, allowed: value in allowed,
    "minLength": lambda value, length: len(value) >= length,
    "maxLength": lambda value, length: len(value) <= length,
    "minValue": lambda value, least: bool(value >= least),
    "maxValue": lambda value, most: bool(value <= most),
}


@dataclass(frozen=True)
class Resource:
    """A resource that is asked for.

    Args:
        type: Its type, like `Microsoft.SignalRService/signalR`.
        api_version: Version of its description.
        id: Its resource id.
        scope: Resource id of what it belongs to.
        body: All that is said of it but `parent` and `scope`.
        file: Where it is declared.
    """

    type: str
    api_version: str
    id: str
    scope: str
    body: dict[str, Any]
    file: str

    @property
    def properties(self) -> dict[str, Any]:
        """What is said of it, but name, place and kind."""
        return dict(self.body["properties"])


@dataclass(frozen=True)
class Deployment:
    """All resources that are asked for, and the outputs of main.bicep."""

    resources: list[Resource]
    outputs: dict[str, Any]

    def of(self, type_: str) -> list[Resource]:
        """Return the resources of a type."""
        return [each for each in self.resources if each.type == type_]

    def one(self, type_: str, name: str | None = None) -> Resource:
        """Return the one resource of a type, or of a type and name."""
        (found,) = (each for each in self.of(type_) if name in (None, each.body["name"]))
        return found


def deploy(sources: Sources, **parameters: Value) -> Deployment:
    """Deploy main.bicep.

    Args:
        sources: The files.
        parameters: Those of main.bicep.

    Raises:
        BicepError: A file is wrong, or asks for something that is not there.
    """
    resources: list[Resource] = []
    outputs = _FileDeployment("main.bicep", sources, parameters, SUBSCRIPTION, resources).run()
    return Deployment(resources, outputs)


class _FileDeployment:
    """One file, with parameters, into one scope. Names are evaluated when they are needed."""

    def __init__(
        self,
        name: str,
        sources: Sources,
        parameters: Mapping[str, Any],
        scope: str,
        resources: list[Resource],
    ) -> None:
        if name not in sources:
            raise BicepError(f"{name}: there is no such file")
        self._file: File = read(name, sources[name])
        self._sources = sources
        self._scope = scope
        self._resources = resources
        self._known: dict[str, Any] = self._parameters(parameters)

    def run(self) -> dict[str, Any]:
        """Deploy everything, and return the outputs."""
        expected = "subscription" if self._scope == SUBSCRIPTION else "resourceGroup"
        if self._file.target != expected:
            raise BicepError(f"{self._file.name}: is for a {self._file.target}, not a {expected}")
        for each in (*self._file.of("resource"), *self._file.of("module")):
            self._lookup(each.name)
        return {
            name: self._evaluate(each, each.body, self._lookup)
            for name, each in self._file.outputs.items()
        }

    def _parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        declared = {each.name: each for each in self._file.of("parameter")}
        for name in given.keys() - declared.keys():
            raise BicepError(f"{self._file.name}: has no parameter {name}")
        for name, each in declared.items():
            if name not in given and each.body is None:
                raise BicepError(f"{self._file.name}:{each.line}: {name} is not given")
            if name in given:
                self._check(each, given[name])
        return dict(given)

    def _check(self, parameter: Declaration, value: Value) -> None:
        where = f"{self._file.name}:{parameter.line}: {parameter.name}"
        if not self._is(parameter.reference, value):
            raise BicepError(f"{where} is no {parameter.reference}: {value!r}")
        for name, holds in _LIMITS.items():
            for argument in parameter.decorators.get(name, []):
                limit = evaluate(argument, self._lookup)
                if not holds(value, limit):
                    raise BicepError(f"{where} is {value!r}, and has {name} {limit!r}")

    def _is(self, kind: str, value: Value) -> bool:
        if kind.endswith("[]"):
            item = kind.removesuffix("[]")
            return isinstance(value, list) and all(self._is(item, each) for each in value)
        if kind in _KINDS:
            return type(value) is _KINDS[kind]
        body = self._file.declarations[kind].body
        assert body is not None
        pairs = [children(each) for each in children(body)]
        return value.keys() == {text(key) for key, _ in pairs} and all(
            self._is(text(kind_of), value[text(key)]) for key, kind_of in pairs
        )

    def _lookup(self, name: str) -> Value:
        if name.endswith("()"):
            return {
                "loadJsonContent()": lambda path: json.loads(self._load(path)),
                "loadTextContent()": self._load,
                "resourceId()": self._resource_id,
            }[name]
        if name not in self._known:
            declaration = self._file.declarations[name]
            match declaration.kind:
                case "resource":
                    value = self._each(declaration, self._resource)
                case "module":
                    value = self._each(declaration, self._module)
                case _:
                    value = self._evaluate(declaration, declaration.body, self._lookup)
            self._known[name] = value
        return self._known[name]

    def _load(self, path: str) -> str:
        folder = posixpath.dirname(self._file.name)
        return self._sources[posixpath.normpath(posixpath.join(folder, path))]

    def _resource_id(self, type_: str, name: str) -> str:
        return _id(type_, name, self._scope, None, None)

    def _evaluate(self, declaration: Declaration, node: Node | None, lookup: Lookup) -> Value:
        assert node is not None
        try:
            return evaluate(node, lookup)
        except (LookupError, TypeError, ValueError) as error:
            where = f"{self._file.name}:{declaration.line}: {declaration.name}"
            raise BicepError(f"{where}: {type(error).__name__}: {error}") from error

    def _each(self, declaration: Declaration, make: _Make) -> Value:
        """Make what is declared: one, none where its condition does not hold, or a list."""
        body = declaration.body
        assert body is not None
        if body.type == "for_statement":
            lookups = iterations(body, self._lookup)
            bodies = [self._evaluate(declaration, children(body)[2], each) for each in lookups]
            return [make(declaration, each) for each in bodies]
        if body.type == "if_statement":
            condition, body = children(body)
            if not self._evaluate(declaration, condition, self._lookup):
                return None
        return make(declaration, self._evaluate(declaration, body, self._lookup))

    def _resource(self, declaration: Declaration, body: dict[str, Any]) -> _View:
        type_, api_version = declaration.reference.split("@")
        parent, scope = body.pop("parent", None), body.pop("scope", None)
        id_ = _id(type_, body["name"], self._scope, parent, scope)
        if not declaration.existing:
            owner = (parent or scope or {"id": self._scope})["id"]
            self._resources.append(Resource(type_, api_version, id_, owner, body, self._file.name))
        return {"id": id_, "name": body["name"]} | _answers(type_, body["name"])

    def _module(self, declaration: Declaration, body: dict[str, Any]) -> _View:
        path = posixpath.join(posixpath.dirname(self._file.name), declaration.reference)
        scope = body["scope"]["id"]
        where = f"{self._file.name}:{declaration.line}"
        try:
            module = _FileDeployment(path, self._sources, body["params"], scope, self._resources)
        except BicepError as error:
            raise BicepError(f"{where}: {error}") from error
        return {"name": body["name"], "outputs": module.run()}


def _id(type_: str, name: str, scope: str, parent: _View | None, extended: _View | None) -> str:
    if type_ == "Microsoft.Resources/resourceGroups":
        return f"{scope}/resourceGroups/{name}"
    if parent:
        return f"{parent['id']}/{type_.rpartition('/')[2]}/{name}"
    return f"{extended['id'] if extended else scope}/providers/{type_}/{name}"


def _answers(type_: str, name: str) -> _View:
    """Return what Azure alone knows of a resource, and infra/ asks for."""
    match type_:
        case "Microsoft.SignalRService/signalR":
            host = f"{name}.service.signalr.net"
            return {
                "properties": {"hostName": host},
                "identity": {"principalId": guid(name, "principal")},
            }
        case "Microsoft.Web/sites":
            return {
                "properties": {"defaultHostName": f"{name}.azurewebsites.net"},
                "identity": {"principalId": guid(name, "principal")},
            }
        case "Microsoft.ManagedIdentity/userAssignedIdentities":
            ids = {"principalId": guid(name, "principal"), "clientId": guid(name, "client")}
            return {"properties": ids}
        case "Microsoft.Storage/storageAccounts":
            blob = f"https://{name}.blob.core.windows.net/"
            return {"properties": {"primaryEndpoints": {"blob": blob}}}
        case "Microsoft.Insights/components":
            return {"properties": {"ConnectionString": f"InstrumentationKey={guid(name)}"}}
        case _:
            return {}
