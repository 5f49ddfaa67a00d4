"""``homelabmon init``: a stack to start from, its schema, and what CI and pre-commit need. Overwrites nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import islice
from pathlib import Path

import click

from homelabmon import __version__
from homelabmon.errors import HomelabmonError, OutputConflictError

Address = IPv4Address | IPv6Address

_SERVICES = ("grafana", "prometheus", "loki", "vector", "alertmanager")
_NOT_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if re.fullmatch(r"[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?", value) is None:
        raise click.BadParameter(f"{value!r}: use lower case letters, digits and dashes, such as my-home")
    return value


def _pool(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        addresses(value)
    return values


@click.command(
    name="init",
    epilog="\b\nExample: homelabmon init --distribution talos --load-balancer cilium --pool 192.168.1.224/28",
)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--name", default="home", show_default=True, callback=_name, help="Name of the homelab.")
@click.option(
    "--distribution",
    type=click.Choice(["k3s", "talos", "kubeadm", "rke2"]),
    default="k3s",
    show_default=True,
    help="Which Kubernetes it is.",
)
@click.option(
    "--load-balancer",
    "provider",
    type=click.Choice(["metallb", "cilium", "kube-vip", "none"]),
    default="none",
    show_default=True,
    help="Who gives Services an address on your network.",
)
@click.option(
    "--pool",
    multiple=True,
    callback=_pool,
    metavar="RANGE",
    help="Addresses it may give: a CIDR block, or first-last. Grafana and the others get the first of them.",
)
@click.option("--with-ci/--no-ci", "ci", default=True, help="Also a GitHub workflow and a pre-commit configuration.")
def command(folder: Path, name: str, distribution: str, provider: str, pool: tuple[str, ...], ci: bool) -> None:
    """Write a stack.yaml to start from, into DIR or here.

    With it come its JSON Schema for editors, a workflow that checks pull requests, and a pre-commit configuration;
    these two go to the top of the Git repository that DIR is in. If any of the files is there already, nothing is
    written.
    """
    if pool and provider == "none":
        raise click.UsageError("--pool needs to know who gives the addresses: add --load-balancer metallb (or another)")
    from homelabmon.cli.schema import schema_text

    top = _repository(folder.resolve())
    inside = folder.resolve().relative_to(top)
    texts = {
        "name": name if re.fullmatch(r"[a-z][-a-z0-9_]*", name) and name not in _NOT_TEXT else f'"{name}"',
        "distribution": distribution,
        "load_balancer": _load_balancer(provider, pool),
        "lb_ips": _lb_ips(provider, pool),
        "flux_path": "./" + (inside / "rendered").as_posix(),
        "stack_path": (inside / "stack.yaml").as_posix(),
        "version": __version__,
    }
    files = {
        folder / "stack.yaml": _scaffold("stack.yaml.txt", texts),
        folder / "stack.schema.json": schema_text(),
    }
    if ci:
        # Shown as the user would name them from here.
        shown = Path(os.path.relpath(top))
        files[shown / ".github" / "workflows" / "homelabmon.yml"] = _scaffold("workflow.yml.txt", texts)
        files[shown / ".pre-commit-config.yaml"] = _scaffold("pre-commit.yaml.txt", texts)
    _write(files)
    for path in files:
        click.echo(f"{click.style('+', fg='green')} {path}")
    click.echo(_next_steps(folder))


def _repository(folder: Path) -> Path:
    """The top of the Git repository that the folder is, or will be, in; else the folder itself."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)


def _scaffold(file: str, texts: Mapping[str, str]) -> str:
    text = resources.files("homelabmon.cli").joinpath("scaffold", file).read_text(encoding="utf-8")
    return re.sub(r"<<(\w+)>>", lambda match: texts[match[1]], text)


def _load_balancer(provider: str, pool: Sequence[str]) -> str:
    if provider == "none":
        return (
            "  # Who gives Services an address on your network: metallb, cilium or kube-vip.\n"
            "  # load_balancer: {provider: metallb, pool: [192.168.1.224/28]}"
        )
    entries = f"[{', '.join(_scalar(entry) for entry in pool)}]"
    lines = ["  load_balancer:", f"    provider: {provider}"]
    lines.append(f"    pool: {entries}" if pool else "    # pool: [192.168.1.224/28]")
    if provider in ("metallb", "cilium"):
        lines += ["    # False when other manifests of yours define the pool.", "    # manage_pool: false"]
    return "\n".join(lines)


def _lb_ips(provider: str, pool: Sequence[str]) -> str:
    found = islice((address for entry in pool for address in addresses(entry)), len(_SERVICES))
    lines = [f"  {service}: {_scalar(str(address))}" for service, address in zip(_SERVICES, found, strict=False)]
    if lines:
        return "\n".join(["# Fixed addresses on your network.", "lb_ips:", *lines, ""])
    example = "# Fixed addresses on your network, once the pool above is set.\n# lb_ips: {grafana: 192.168.1.229}\n"
    return example if provider != "none" else example.replace("the pool above is", "cluster.load_balancer is")


def _scalar(text: str) -> str:
    return f'"{text}"' if ":" in text else text


def addresses(entry: str) -> Iterable[Address]:
    """The addresses of a CIDR block (those for hosts) or of a range, in order. Raises click.BadParameter."""
    first, dash, last = (part.strip() for part in entry.partition("-"))
    try:
        if not dash:
            return ip_network(entry).hosts()
        start, end = ip_address(first), ip_address(last)
    except ValueError as error:
        raise click.BadParameter(
            f"{error}: write a block such as 192.168.1.224/28, or a range such as 192.168.1.229-192.168.1.240"
        ) from None
    if start.version != end.version or int(start) > int(end):
        raise click.BadParameter(f"{entry!r} is empty: write the lower address first")
    return (type(start)(number) for number in range(int(start), int(end) + 1))


def _write(files: Mapping[Path, str]) -> None:
    """All files or none: existing ones are never touched."""
    there = [path for path in files if os.path.lexists(path)]
    if there:
        only_ci = all(path.name not in ("stack.yaml", "stack.schema.json") for path in there)
        raise OutputConflictError(
            f"{', '.join(map(str, there))}: there already; nothing was written."
            + (" Leave out what is for CI with --no-ci" if only_ci else " Move it away, or name another folder")
        )
    made: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as handle:
                made.append(path)
                handle.write(text)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        raise HomelabmonError(f"{error.filename}: cannot be written: {error.strerror}; nothing was written") from None


def _next_steps(folder: Path) -> str:
    stack = folder / "stack.yaml"
    option = "" if str(folder) == "." else f" --stack {stack}"
    return f"""
Next:
  1. Look through {stack}: the channels first, then the routes. The schema beside it completes keys in an editor.
  2. homelabmon check{option}
  3. homelabmon render{option}, and commit what it writes
  4. Make the Secrets and hand the files to Flux as {folder / "rendered" / "docs" / "monitoring.md"} says"""
