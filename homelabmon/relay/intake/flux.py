"""Flux' events, as its notification-controller posts them to a Provider of type ``generic`` or ``generic-hmac``.

An error is an alert about the object it names, whatever its reason: a failed build may become a failed health check,
and it is the same trouble. It is over when the object says that it succeeded. Any other word of Flux is an event.

May import: contract, reading, spec.names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Intake, Parsed, Refused
from homelabmon.relay.intake.reading import UnreadableError, fnv1a, json_of, plain, text_of, timestamp
from homelabmon.spec import names

_SUCCESSES: Final = frozenset({"NewArtifact", "ArtifactUpToDate"})
"""Reasons that mean all is well, besides those that end in ``Succeeded``: source-controller's."""
_NOT_SUCCESSES: Final = frozenset({"RollbackSucceeded", "UninstallSucceeded"})
"""What succeeded here is the retreat: helm-controller undoes an upgrade or an installation that failed."""


def parse(body: bytes, now: float) -> Parsed | Refused:
    """One event as a notice."""
    try:
        data = json_of(text_of(body))
        if not isinstance(data, dict):
            return Refused("it is JSON, but no object")
        return Parsed((_notice(data, now),))
    except UnreadableError as error:
        return Refused(str(error))


def _notice(data: Mapping[str, Any], now: float) -> Notice:
    about = data.get("involvedObject")
    if not isinstance(about, dict):
        raise UnreadableError("involvedObject is missing: this is no event of Flux")
    kind, namespace, name = (plain(about.get(key)) for key in ("kind", "namespace", "name"))
    if not kind or not name:
        raise UnreadableError("involvedObject has no kind or no name")
    reason, failed = plain(data.get("reason")), data.get("severity") == "error"
    over = not failed and _is_success(reason)
    labels = {
        names.LABEL_ALERTNAME: f"Flux{kind}{'Failed' if failed or over else reason}",
        names.LABEL_SOURCE: names.SOURCE_FLUX,
        names.LABEL_SEVERITY: "warning" if failed or over else "info",
        "kind": kind,
        "namespace": namespace,
        "name": name,
    }
    at = timestamp(data.get("timestamp"))
    at = now if at is None else at
    alert = failed or over
    return Notice(
        source=names.SOURCE_FLUX,
        fingerprint=fnv1a((names.SOURCE_FLUX, kind, namespace, name, *(() if alert else (reason,)))),
        labels={key: value for key, value in labels.items() if value},
        annotations=_annotations(data, f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}", reason),
        firing=not over,
        starts_at=at,
        ends_at=at if over else None,
        event=not alert,
        keyed=alert,
    )


def _is_success(reason: str) -> bool:
    return reason in _SUCCESSES or (reason.endswith("Succeeded") and reason not in _NOT_SUCCESSES)


def _annotations(data: Mapping[str, Any], about: str, reason: str) -> dict[str, str]:
    metadata = data.get("metadata")
    told = {plain(key): plain(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}
    # `revision` stands below the API group of the object's kind: kustomize.toolkit.fluxcd.io/revision.
    revision = next((value for key, value in told.items() if key.rpartition("/")[2] == "revision"), "")
    found = {
        "summary": f"{about}: {reason}" if reason else about,
        "description": plain(data.get("message")),
        "revision": revision,
        "note": told.get("summary", ""),
    }
    return {key: value for key, value in found.items() if value}


INTAKE: Final = Intake(names.SOURCE_FLUX, names.PATH_FLUX, "signature", parse)
