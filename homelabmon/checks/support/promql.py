"""PromQL: whether an expression parses, and which labels can be left on what it returns.

Asked by checks and by ``homelabmon check`` for rendered rules. promql_parser is imported the first time an expression
is parsed.

The analysis never says that a label is gone when some series could still carry it. Sources of its rules: Prometheus
promql/engine.go (aggregation, VectorBinop, resultMetric, VectorAnd, VectorOr, VectorUnless) and promql/functions.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Final, NamedTuple

METRIC_NAME: Final = "__name__"
_BEYOND: Final = re.compile(r"\b(anchored|smoothed)\b|\[[^\]]*[-+*/(][^\]]*\]|\boffset\s+\(")
"""Prometheus behind a feature flag: extended ranges and arithmetic on durations. The parser knows neither."""


class Parsed(NamedTuple):
    """An expression. ``tree`` is None when it does not parse; ``error`` then says why, in the parser's words.

    ``uncertain``: it may be one of Prometheus' newest notations, which the parser does not know.
    """

    tree: Any = None
    error: str = ""
    uncertain: bool = False


def parse(text: str) -> Parsed:
    """Reads an expression."""
    import promql_parser

    try:
        return Parsed(promql_parser.parse(text))
    except ValueError as error:
        return Parsed(error=str(error), uncertain=_BEYOND.search(_STRING.sub('""', text)) is not None)


_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')


def shortened(text: str, length: int = 60) -> str:
    """An expression for a message: on one line, cut in the end."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 3]}..."


# Labels that can be left ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Labels:
    """A set of label names that series may carry: just ``names``, or, when ``open``, every name but ``names``."""

    names: frozenset[str]
    open: bool = False

    def __contains__(self, name: object) -> bool:
        return name == METRIC_NAME or (name in self.names) != self.open

    def __or__(self, other: Labels) -> Labels:
        if self.open and other.open:
            return Labels(self.names & other.names, open=True)
        if self.open or other.open:
            opened, closed = (self, other) if self.open else (other, self)
            return Labels(opened.names - closed.names, open=True)
        return Labels(self.names | other.names)

    def __and__(self, other: Labels) -> Labels:
        return self.without_those(other.complement())

    def __sub__(self, names: Iterable[str]) -> Labels:
        gone = frozenset(names)
        return Labels(self.names | gone, open=True) if self.open else Labels(self.names - gone)

    def complement(self) -> Labels:
        """Every name that is not here."""
        return Labels(self.names, not self.open)

    def without_those(self, other: Labels) -> Labels:
        """What is here and not there."""
        return (self.complement() | other).complement()


NONE: Final = Labels(frozenset())
ANY: Final = Labels(frozenset(), open=True)

_FUNCTIONS: Final = """
abs acos acosh asin asinh atan atanh avg_over_time ceil changes clamp clamp_max clamp_min cos cosh count_over_time
day_of_month day_of_week day_of_year days_in_month deg delta deriv double_exponential_smoothing exp first_over_time
floor histogram_avg histogram_count histogram_fraction histogram_quantile histogram_stddev histogram_stdvar
histogram_sum holt_winters hour idelta increase irate last_over_time ln log10 log2 mad_over_time max_over_time
min_over_time minute month predict_linear present_over_time quantile_over_time rad rate resets round sgn sin sinh
sort sort_by_label sort_by_label_desc sort_desc sqrt stddev_over_time stdvar_over_time sum_over_time tan tanh
timestamp ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time year
"""
_KEEPING: Final = frozenset(_FUNCTIONS.split())
"""Functions whose result carries labels of their one vector argument, and no others."""
_PICKING: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Aggregations that pick series as they are."""
_AGGREGATING: Final = frozenset(
    {"sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "quantile", "count_values"}
)


def surviving_labels(tree: Any) -> Labels:
    """The labels that what an expression returns may carry. For anything it does not know: any label."""
    return _handlers()[type(tree)](tree) if type(tree) in _handlers() else ANY


@cache
def _library() -> ModuleType:
    import promql_parser

    return promql_parser


@cache
def _handlers() -> Mapping[type, Callable[[Any], Labels]]:
    library = _library()
    return {
        library.NumberLiteral: lambda _: NONE,
        library.StringLiteral: lambda _: NONE,
        library.ParenExpr: lambda node: surviving_labels(node.expr),
        library.UnaryExpr: lambda node: surviving_labels(node.expr),
        library.SubqueryExpr: lambda node: surviving_labels(node.expr),
        library.VectorSelector: lambda node: _selected(node.matchers),
        library.MatrixSelector: lambda node: _selected(node.vector_selector.matchers),
        library.AggregateExpr: _aggregated,
        library.Call: _called,
        library.BinaryExpr: _combined,
    }


def _selected(matchers: Any) -> Labels:
    """Anything, but for labels that a matcher wants to be empty."""
    equal = _library().MatchOp.Equal
    return ANY - {matcher.name for matcher in matchers.matchers if matcher.op == equal and matcher.value == ""}


def _aggregated(node: Any) -> Labels:
    inner, kind = surviving_labels(node.expr), str(node.op)
    if kind in _PICKING:
        return inner
    if kind not in _AGGREGATING:
        return ANY
    if node.modifier is None:
        kept = NONE
    elif node.modifier.type == _library().AggModifierType.By:
        kept = inner & Labels(frozenset(node.modifier.labels))
    else:
        kept = inner - node.modifier.labels
    return kept | Labels(frozenset({node.param.val})) if kind == "count_values" else kept


def _called(node: Any) -> Labels:
    name, library = node.func.name, _library()
    if node.func.return_type == library.ValueType.Scalar or name == "vector":
        return NONE
    if name in ("absent", "absent_over_time"):
        return _absent(node.args[0])
    if name in ("label_replace", "label_join"):
        return surviving_labels(node.args[0]) | Labels(frozenset({node.args[1].val}))
    if name not in _KEEPING:
        return ANY
    # Of what is given, only vectors and ranges have labels; without any (`hour()`) there are none.
    labels = NONE
    for argument in node.args:
        labels |= NONE if _is_scalar(argument) else surviving_labels(argument)
    return labels


def _absent(argument: Any) -> Labels:
    """The labels that the selector asks for by an equal value, once each; none when it is no selector."""
    library = _library()
    while isinstance(argument, library.ParenExpr):
        argument = argument.expr
    if isinstance(argument, library.MatrixSelector):
        argument = argument.vector_selector
    if not isinstance(argument, library.VectorSelector):
        return NONE
    given = [*argument.matchers.matchers, *(one for many in argument.matchers.or_matchers for one in many)]
    return Labels(frozenset(matcher.name for matcher in given if matcher.op == library.MatchOp.Equal and matcher.value))


def _is_scalar(node: Any) -> bool:
    library = _library()
    while isinstance(node, (library.ParenExpr, library.UnaryExpr)):
        node = node.expr
    if isinstance(node, library.Call):
        return bool(node.func.return_type == library.ValueType.Scalar)
    if isinstance(node, library.BinaryExpr):
        return _is_scalar(node.lhs) and _is_scalar(node.rhs)
    return isinstance(node, (library.NumberLiteral, library.StringLiteral))


def _combined(node: Any) -> Labels:
    if _is_scalar(node.lhs) or _is_scalar(node.rhs):
        # A scalar has no labels: the other side's are left, or none.
        return surviving_labels(node.lhs) | surviving_labels(node.rhs)
    left, right = surviving_labels(node.lhs), surviving_labels(node.rhs)
    kind = str(node.op)
    if kind == "or":
        return left | right
    if kind == "unless":
        return left
    matching = _Matching.of(node.modifier)
    if kind == "and":
        return matching.agreeing(left, right)
    return matching.joined(left, right)


class _Matching(NamedTuple):
    """How the series of two sides are paired. ``on`` None: by all labels but ``ignored``."""

    on: frozenset[str] | None = None
    ignored: frozenset[str] = frozenset()
    many: str = ""
    """Which side may have several series for one of the other: ``left``, ``right`` or neither."""
    included: frozenset[str] = frozenset()
    filled: bool = False

    @classmethod
    def of(cls, modifier: Any) -> _Matching:
        """From the parser's modifier."""
        if modifier is None:
            return cls()
        library, matching = _library(), modifier.matching
        labels = frozenset(matching.labels) if matching is not None else frozenset()
        includes = matching is not None and matching.type == library.LabelModifierType.Include
        cardinality = library.VectorMatchCardinality  # not hashable
        sides = (("left", cardinality.ManyToOne), ("right", cardinality.OneToMany))
        fill = modifier.fill_values
        return cls(
            on=labels if includes else None,
            ignored=frozenset() if includes else labels,
            many=next((side for side, card in sides if modifier.card == card), ""),
            included=frozenset(modifier.group_labels or ()),
            filled=fill is not None and (fill.lhs is not None or fill.rhs is not None),
        )

    def agreeing(self, kept: Labels, other: Labels) -> Labels:
        """What can be left of ``kept`` where a partner in ``other`` has equal values for the labels that pair them.

        A label that pairs them and that the other side cannot have is empty on this side as well.
        """
        if self.on is not None:
            return kept - {name for name in self.on if name not in other}
        return kept & (other | Labels(self.ignored))

    def joined(self, left: Labels, right: Labels) -> Labels:
        """The labels of an arithmetic operation's or a comparison's result."""
        if self.filled:
            # A side that is missing is made up; which labels it then has is not relied on.
            either = left | right | Labels(self.included)
            return either & Labels(self.on) if self.on is not None and not self.many else either
        if not self.many:
            agreed = self.agreeing(left, right)
            return agreed & Labels(self.on) if self.on is not None else agreed - self.ignored
        kept, one = (left, right) if self.many == "left" else (right, left)
        return (self.agreeing(kept, one) - self.included) | (one & Labels(self.included))


def returns_vector(tree: Any) -> bool:
    """Whether an expression returns instant vectors or a number, which is what an alerting rule takes."""
    library = _library()
    while isinstance(tree, (library.ParenExpr, library.UnaryExpr)):
        tree = tree.expr
    return not isinstance(tree, (library.MatrixSelector, library.SubqueryExpr, library.StringLiteral))


def is_constant(tree: Any) -> bool:
    """Whether an expression returns the same whatever is scraped: ``vector(1)``, ``1``. A comparison may not hold."""
    library = _library()
    while isinstance(tree, (library.ParenExpr, library.UnaryExpr)):
        tree = tree.expr
    if isinstance(tree, library.Call) and tree.func.name == "vector":
        return is_constant(tree.args[0])
    return isinstance(tree, library.NumberLiteral)
