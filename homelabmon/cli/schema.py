"""``homelabmon schema``: the JSON Schema of stack.yaml, with which an editor completes keys and underlines mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from homelabmon.cli.documents import output_option, put


@click.command(
    name="schema",
    epilog="\b\nExample: homelabmon schema --output stack.schema.json   # again after every upgrade",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help=output_option("the schema"))
def command(output: Path | None) -> None:
    """Print the JSON Schema of stack.yaml.

    Editors that speak YAML find it by the first line of the stack:

    # yaml-language-server: $schema=./stack.schema.json
    """
    put(schema_text(), output)


def schema_text() -> str:
    """The schema as it is written to a file. Same version, same bytes."""
    import json

    return json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n"


def stack_schema() -> dict[str, Any]:
    """The schema: closed (an unknown key is an error), with descriptions, defaults and examples as people write them.

    It accepts whatever :mod:`homelabmon.load` accepts in its plain form. It is not as strict: what concerns several
    keys at once is left to ``check``.
    """
    from homelabmon.cli.json_schema import StackSchema
    from homelabmon.spec import names
    from homelabmon.stack import Stack

    schema = Stack.model_json_schema(by_alias=True, schema_generator=StackSchema)
    return {
        "$schema": StackSchema.schema_dialect,
        "$id": f"urn:{names.SCHEMA_API_VERSION.replace('/', ':')}:stack",
        **schema,
        "title": "stack.yaml of homelabmon",
    }
