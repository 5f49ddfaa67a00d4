"""Which labels the alerts of an expression are sure to have, read from its syntax tree."""

from typing import Any

import promql_parser

from homelabmon.spec import names


def kept_labels(expression: str) -> set[str]:
    """The labels that alerts of an expression are sure to have, by its outermost aggregation.

    Knows the shapes that the packs use: both sides of set operators, arithmetic and comparison with a scalar, and
    aggregations ``by``. Anything else is taken to keep nothing, so a test that needs a label fails.
    """
    return labels_of(promql_parser.parse(expression))


def labels_of(node: Any) -> set[str]:
    if isinstance(node, promql_parser.ParenExpr):
        return labels_of(node.expr)
    if isinstance(node, promql_parser.AggregateExpr):
        return set(node.modifier.labels) if node.modifier is not None else set()
    if isinstance(node, promql_parser.BinaryExpr):
        return labels_of_binary(node)
    if isinstance(node, promql_parser.Call) and node.func.name in {"label_replace", "round", "floor", "abs"}:
        return labels_of(node.args[0])
    if isinstance(node, promql_parser.Call) and node.func.name == "max_over_time":
        return labels_of(node.args[0])
    if isinstance(node, promql_parser.SubqueryExpr):
        return labels_of(node.expr)
    if isinstance(node, promql_parser.VectorSelector) and node.name in {
        names.RECORD_SERVICE_ENDPOINTS,
        names.RECORD_SERVICE_READY_ENDPOINTS,
    }:
        return {"namespace", "service"}
    return set()


def labels_of_binary(node: Any) -> set[str]:
    left, right = labels_of(node.lhs), labels_of(node.rhs)
    if str(node.op) in {"and", "unless"}:
        return left
    if str(node.op) == "or":
        return left & right
    return left | right
