"""The tree of organisations: names by preorder number, with paths and intervals computed once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .did_you_mean import did_you_mean
from .findings import Finding, HierarchyError, listed
from .levels import Level

if TYPE_CHECKING:
    import networkx

PathNames = tuple[str | None, str | None, str | None, str | None]

FORBIDDEN = "forbidden"
_LACKING = tuple((None,) * (len(Level) - depth) for depth in range(len(Level) + 1))
_SEPARATOR = re.compile(r"\s*[/→>]\s*")


class Alias(NamedTuple):
    """A name a node goes by, or (kind `forbidden`) a short form that it must not go by."""

    name: str
    node: int
    kind: str
    valid_from: int | None
    """First year the name was in use; None when unknown or always."""
    valid_to: int | None
    """Last year the name was in use; None for a name still in use."""


def alias_order(alias: Alias) -> tuple[int, str, str, int, int]:
    """The order of a tree's aliases, which its version rests on."""
    return alias.node, alias.name, alias.kind, alias.valid_from or 0, alias.valid_to or 0


@dataclass(frozen=True, eq=False, repr=False)
class Tree:
    """What a `Hierarchy` holds and answers; how it is loaded is added there.

    Ids are preorder numbers with children sorted by name, so the order of a table's rows changes nothing.
    Pickles as plain tuples: the graph and the name index are rebuilt on first use.
    """

    names: tuple[str, ...]
    levels: tuple[int, ...]
    parents: tuple[int, ...]
    """-1 for a province."""
    last: tuple[int, ...]
    """The subtree of i is exactly the ids i … last[i]."""
    paths: tuple[tuple[int, ...], ...]
    """The ids from the province down to the node itself."""
    aliases: tuple[Alias, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What was seen while loading; the rows of the errors are not in the tree."""
    source: str = ""
    encoding: str | None = None
    """The encoding a CSV was read with; None for anything else."""
    version: str = ""
    """Content hash of organisations and aliases: 16 hex digits, the same for every format and row order."""

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r}, {len(self)} organisations, version {self.version})"

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same organisations and aliases, wherever they came from."""
        return self.version == other.version if isinstance(other, Tree) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.version)

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)

    # The tree ------------------------------------------------------------------------------------

    @property
    def provinces(self) -> tuple[int, ...]:
        """The roots, in id order."""
        return tuple(self._siblings_from(0, len(self) - 1))

    def is_ancestor(self, a: int, b: int) -> bool:
        """Whether `b` lies in the subtree of `a`; a node is its own ancestor."""
        return a <= b <= self.last[a]

    def children(self, i: int) -> tuple[int, ...]:
        """The nodes directly below `i`, sorted by name."""
        return tuple(self._siblings_from(i + 1, self.last[i]))

    def ancestors(self, i: int) -> tuple[int, ...]:
        """The ids from the province down to the parent of `i`, `i` itself left out."""
        return self.paths[i][:-1]

    def path_names(self, i: int) -> PathNames:
        """(province, city, company, substation), None below the level of `i`."""
        path = self.paths[i]
        return (*[self.names[node] for node in path], *_LACKING[len(path)])  # type: ignore[return-value]

    def path_text(self, i: int) -> str:
        """The path of a node as people write it: 山东省/菏泽/巨野县供电公司."""
        return "/".join([self.names[node] for node in self.paths[i]])

    def _siblings_from(self, first: int, end: int) -> Iterator[int]:
        while first <= end:
            yield first
            first = self.last[first] + 1

    @cached_property
    def graph(self) -> networkx.DiGraph[int]:
        """The tree in networkx: edges parent → child, node attributes `name` and `level`."""
        import networkx

        graph: networkx.DiGraph[int] = networkx.DiGraph()
        for i, (name, level) in enumerate(zip(self.names, self.levels, strict=True)):
            graph.add_node(i, name=name, level=level)
        graph.add_edges_from((parent, i) for i, parent in enumerate(self.parents) if parent >= 0)
        return graph

    # Names ---------------------------------------------------------------------------------------

    @cached_property
    def _nodes_by_name(self) -> dict[str, tuple[int, ...]]:
        nodes: dict[str, tuple[int, ...]] = {}
        for i, name in enumerate(self.names):
            nodes[name] = (*nodes.get(name, ()), i)
        for alias in self.aliases:
            if alias.kind != FORBIDDEN:
                nodes[alias.name] = tuple(sorted({*nodes.get(alias.name, ()), alias.node}))
        return nodes

    def find(self, text: str) -> tuple[int, ...]:
        """Every node that `text` names, by a canonical name, an alias, or a path.

        A path has `/`, `→` or `>` between its names, and may leave levels out: "菏泽/麒麟供电所". Former
        names count; `aliases_of` says which they are. () when nothing goes by the text.
        """
        *above, name = _SEPARATOR.split(text.strip())
        nodes = self._nodes_by_name
        return tuple(i for i in nodes.get(name, ()) if self._lies_below(i, above))

    def _lies_below(self, i: int, above: list[str]) -> bool:
        ancestors = list(self.ancestors(i))
        for name in reversed(above):
            named = self._nodes_by_name.get(name, ())
            while ancestors and ancestors[-1] not in named:
                ancestors.pop()
            if not ancestors:
                return False
            ancestors.pop()
        return True

    def aliases_of(self, i: int) -> tuple[Alias, ...]:
        """The aliases of one node, forbidden ones included."""
        return self._aliases_by_node.get(i, ())

    @cached_property
    def _aliases_by_node(self) -> dict[int, tuple[Alias, ...]]:
        by_node: dict[int, tuple[Alias, ...]] = {}
        for alias in self.aliases:
            by_node[alias.node] = (*by_node.get(alias.node, ()), alias)
        return by_node

    # Making trees --------------------------------------------------------------------------------

    @classmethod
    def of_paths(
        cls,
        paths: Iterable[tuple[str, str, str, str]],
        *,
        source: str = "",
        encoding: str | None = None,
        findings: Iterable[Finding] = (),
    ) -> Self:
        """The tree of the given paths, "" below the level of each; parents need no path of their own."""
        names: list[str] = []
        levels: list[int] = []
        parents: list[int] = []
        id_paths: list[tuple[int, ...]] = []
        open_names: list[str] = []  # the names on the way to the node added last
        trail: tuple[int, ...] = ()
        depth = len(Level)
        for path in sorted(paths):  # "" sorts first, so this is preorder
            shared = 0
            for name, open_name in zip(path, open_names, strict=False):
                if name != open_name:
                    break
                shared += 1
            del open_names[shared:]
            trail = trail[:shared]
            for level in range(shared, depth):
                name = path[level]
                if not name:
                    break
                parents.append(trail[-1] if trail else -1)
                trail = (*trail, len(names))
                id_paths.append(trail)
                names.append(name)
                levels.append(level)
                open_names.append(name)
        last = list(range(len(names)))
        for i in range(len(names) - 1, -1, -1):
            parent = parents[i]
            if parent >= 0 and last[i] > last[parent]:
                last[parent] = last[i]
        return cls(
            names=tuple(names),
            levels=tuple(levels),
            parents=tuple(parents),
            last=tuple(last),
            paths=tuple(id_paths),
            findings=tuple(findings),
            source=source,
            encoding=encoding,
            version=_content_hash(names, levels, ()),
        )

    def with_aliases(self, aliases: Iterable[Alias], findings: Iterable[Finding] = ()) -> Self:
        """The tree with more aliases, and what was found in reading them: `with_aliases(*load_aliases(path, tree))`."""
        every = tuple(sorted({*self.aliases, *aliases}, key=alias_order))
        return replace(
            self,
            aliases=every,
            findings=(*self.findings, *findings),
            version=_content_hash(self.names, self.levels, every),
        )

    def subset(self, province: str) -> Self:
        """One province with its aliases; without findings, since those are about the whole table.

        Raises: HierarchyError, when no province goes by that name.
        """
        roots = [i for i in self.find(province) if self.levels[i] == Level.PROVINCE]
        if len(roots) != 1:
            known = [self.names[i] for i in self.provinces]
            raise HierarchyError(
                f"{len(roots) or 'no'} province{'s' * (len(roots) > 1)} of the table named '{province}'.",
                f"{did_you_mean(province, known)}It has {listed(known)}.",
                self.source,
            )
        first = roots[0]
        end = self.last[first] + 1
        names, levels = self.names[first:end], self.levels[first:end]
        aliases = tuple(alias._replace(node=alias.node - first) for alias in self.aliases if first <= alias.node < end)
        return replace(
            self,
            names=names,
            levels=levels,
            parents=(-1, *(parent - first for parent in self.parents[first + 1 : end])),
            last=tuple(i - first for i in self.last[first:end]),
            paths=tuple(tuple(i - first for i in path) for path in self.paths[first:end]),
            aliases=aliases,
            findings=(),
            version=_content_hash(names, levels, aliases),
        )


def _content_hash(names: Iterable[str], levels: Iterable[int], aliases: Iterable[Alias]) -> str:
    """16 hex digits of SHA-256 over names and levels in preorder and the aliases; both are sorted already."""
    digest = hashlib.sha256()
    digest.update("".join(f"{level}\t{name}\n" for name, level in zip(names, levels, strict=True)).encode())
    for alias in aliases:
        digest.update("\t".join(map(str, alias)).encode() + b"\n")
    return digest.hexdigest()[:16]
