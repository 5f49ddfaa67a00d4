"""The owner's page: what an owner wants to know at three in the morning, the worst first. Pure: data to HTML.

May import: its neighbours, notifiers.message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from homelabmon.notifiers.message import AlertView, IncidentView, State
from homelabmon.relay.page.data import (
    ChannelRow,
    DeadLetterRow,
    HeartbeatRow,
    HeldRow,
    OpenIncident,
    PageData,
    ProbeRow,
    QuarantineRow,
)
from homelabmon.relay.page.html import Child, Html, join, tag, web_address
from homelabmon.relay.page.style import STYLE

_STATES: Final[Mapping[State, str]] = {
    "firing": "● Firing",
    "resolved": "✓ Resolved",
    "expired": "? Expired, unconfirmed",
    "event": "◆ Event",
}
_CHANNEL_STATES: Final = {
    "delivering": ("ok", "✓ delivering"),
    "waiting": ("warn", "… waiting"),
    "disabled": ("bad", "■ disabled"),
}
_HEARTBEAT_STATES: Final = {
    "new": ("", "○ not seen yet"),
    "up": ("ok", "✓ up"),
    "late": ("warn", "… late"),
    "down": ("bad", "■ down"),
    "paused": ("", "○ paused"),
}
_PROBE_STATES: Final = {
    "new": ("", "○ not asked yet"),
    "up": ("ok", "✓ up"),
    "degraded": ("warn", "▲ slow"),
    "down": ("bad", "■ down"),
    "unknown": ("", "○ cannot be asked"),
}
_ALERTS_SHOWN: Final = 50


def overview(data: PageData, csrf: str) -> str:
    """The whole page. ``csrf`` goes into its forms, and must come back with them."""
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"{_headline(data)} – {data.name} relay"),
        tag("style", Html(STYLE)),
    )
    body = (
        tag("a", "Skip to the open incidents", href="#open", class_="skip"),
        tag("header", tag("h1", f"{data.name}: alert relay"), _as_of(data)),
        tag(
            "main",
            *(_banner(data), _open(data), _held(data), _watch(data), _heartbeats(data), _probes(data)),
            *(_channels(data), _recent(data), _failed(data, csrf)),
        ),
        tag("footer", f"homelabmon {data.version}, running since ", _time(data.started_at, data.now)),
    )
    return f"<!doctype html>\n{tag('html', tag('head', *head), tag('body', *body), lang='en')}\n"


def _as_of(data: PageData) -> Html:
    return tag("p", "As of ", _time(data.now, None), ". ", tag("a", "Look again", href=data.base or "/"), class_="soft")


# The answer in one sentence ------------------------------------------------------------


def _headline(data: PageData) -> str:
    if data.open:
        critical = sum(item.view.severity == "critical" for item in data.open)
        number = len(data.open) + data.hidden.get("open", 0)
        return f"{_count(number, 'open incident')}" + (f", {critical} critical" if critical else "")
    return "Nothing is open"


def _banner(data: PageData) -> Html:
    disabled = [row.name for row in data.channels if row.state == "disabled"]
    waiting = [row.name for row in data.channels if row.state == "waiting"]
    sentences = list(data.troubles)
    if disabled:
        sentences.append(f"Not delivering to {_listed(disabled)}: Discord refuses the webhook.")
    if waiting:
        sentences.append(f"Behind in {_listed(waiting)}.")
    lost = sum(row.replayed_at is None for row in data.dead_letters)
    if lost:
        sentences.append(f"{_count(lost, 'message')} could not be delivered.")
    if data.dry_run:
        sentences.append("Dry run: nothing is sent to Discord.")
    bad = bool(data.troubles or disabled)
    kind = "bad" if bad else "warn" if data.open or sentences else ""
    if not sentences:
        sentences = ["All channels deliver."]
    return tag(
        "div",
        tag("strong", _headline(data)),
        [tag("p", sentence) for sentence in sentences],
        class_=f"banner {kind}".strip(),
        role="status",
    )


# Incidents -----------------------------------------------------------------------------


def _open(data: PageData) -> Html:
    if not data.open:
        return _section("open", "Open incidents", tag("p", "None.", class_="soft"))
    return _section(
        "open", "Open incidents", [_incident(item, data) for item in data.open], _more(data, "open", "incident")
    )


def _recent(data: PageData) -> Html | None:
    if not data.recent:
        return None
    rows = [
        (
            _STATES[item.view.state],
            item.view.title,
            item.channel,
            _time(item.view.opened_at, data.now),
            _lasted(item.view),
            _returned(item.view),
        )
        for item in data.recent
    ]
    table = _table(("State", "What", "Channel", "Began", "Lasted", "Came back"), rows)
    return _section("recent", "Recently over", table, _more(data, "recent", "incident"))


def _incident(item: OpenIncident, data: PageData) -> Html:
    view = item.view
    over = view.state in ("resolved", "expired")
    facts: list[Child] = [
        join(("in #", item.channel)),
        join(("since ", _time(view.opened_at, data.now))),
        None if view.returns == 0 else f"came back {_count(view.returns, 'time')}",
        None if item.told else "not told yet",
    ]
    return tag(
        "article",
        tag("header", tag("span", _state_words(view), class_="state"), tag("h3", view.title)),
        tag("p", _separated(facts), class_="soft"),
        _group(view),
        _alerts(view, data),
        class_=f"incident {'over' if over else _severity_class(view.severity)}",
        id=f"incident-{view.id}",
    )


def _state_words(view: IncidentView) -> str:
    return f"{_STATES[view.state]}, {view.severity}" if view.state in ("firing", "event") else _STATES[view.state]


def _severity_class(severity: str) -> str:
    return severity if severity in ("critical", "warning", "info") else "warning"


def _group(view: IncidentView) -> Html | None:
    shown = {name: value for name, value in view.group.items() if name != "alertname" or value not in view.title}
    return tag("p", _labels(shown)) if shown and not view.group_by_all else None


def _alerts(view: IncidentView, data: PageData) -> Html:
    rows = [_alert(alert, view, data) for alert in view.alerts[:_ALERTS_SHOWN]]
    rest = len(view.alerts) - len(rows)
    more = None if rest == 0 else tag("p", f"And {_count(rest, 'more alert')}.", class_="soft")
    table = _table(("State", "Where", "What", "Since", "Links"), rows)
    if len(rows) <= 5:
        return join((table, more))
    return tag("details", tag("summary", _count(len(view.alerts), "alert")), table, more)


def _alert(alert: AlertView, view: IncidentView, data: PageData) -> Sequence[Child]:
    own = {name: value for name, value in alert.labels.items() if view.group.get(name) != value or view.group_by_all}
    state = _STATES[alert.state] + (", silenced" if alert.silenced else "")
    times = f" ({alert.times} times)" if alert.times > 1 else ""
    said = alert.annotations.get("description") or alert.annotations.get("summary", "")
    return (state + times, _labels(own), said, _time(alert.starts_at, data.now), _links(alert))


def _links(alert: AlertView) -> Html:
    found = {
        "Runbook": alert.annotations.get("runbook_url", ""),
        "Dashboard": alert.annotations.get("dashboard_url", ""),
        "Query": alert.generator_url,
    }
    shown = [tag("a", name, href=address) for name, url in found.items() if (address := web_address(url))]
    return _separated(shown)


def _labels(labels: Mapping[str, str]) -> Html:
    return _separated(tag("code", f"{name}={value}") for name, value in sorted(labels.items()))


def _lasted(view: IncidentView) -> str:
    return "" if view.ended_at is None else _span(view.ended_at - view.opened_at)


def _returned(view: IncidentView) -> str:
    return _count(view.returns, "time") if view.returns else ""


# What waits ----------------------------------------------------------------------------


def _held(data: PageData) -> Html | None:
    if not data.held:
        return None
    rows = [_held_row(row, data) for row in data.held]
    table = _table(("Severity", "Alert", "Channel", "Began", "Told"), rows)
    note = tag("p", "Told when they outlive their hold; what resolves before is churn.", class_="soft")
    return _section("held", "Waiting out their hold", note, table, _more(data, "held", "alert"))


def _held_row(row: HeldRow, data: PageData) -> Sequence[Child]:
    told = "when its silence ends" if row.silenced else f"in {_span(max(0.0, row.due - data.now))}"
    return (row.severity, _labels(row.labels), row.channel, _time(row.starts_at, data.now), told)


def _heartbeats(data: PageData) -> Html | None:
    if not data.heartbeats:
        return None
    rows = [_heartbeat_row(row, data) for row in data.heartbeats]
    table = _table(("Heartbeat", "State", "Last success", "Took", "Next expected"), rows)
    return _section("heartbeats", "Heartbeats", table, _more(data, "heartbeats", "heartbeat"))


def _heartbeat_row(row: HeartbeatRow, data: PageData) -> Sequence[Child]:
    kind, words = _HEARTBEAT_STATES[row.state]
    since = join((", since ", _time(row.since, data.now))) if row.state in ("down", "paused") else None
    running = None if row.running_since is None else join((", running since ", _time(row.running_since, data.now)))
    return (
        row.name,
        join((tag("span", words, class_=f"state {kind}"), since, running)),
        "never" if row.last is None else _time(row.last, data.now),
        None if row.duration is None else _span(row.duration),
        None if row.expected is None else _time(row.expected, data.now),
    )


def _watch(data: PageData) -> Html | None:
    if not data.watch:
        return None
    rows = [
        (
            row.name,
            tag("span", row.words, class_=f"state {row.kind}"),
            None if row.at is None else _time(row.at, data.now),
        )
        for row in data.watch
    ]
    return _section("watch", "Who watches whom", _table(("Who", "State", "When"), rows))


def _probes(data: PageData) -> Html | None:
    if not data.probes:
        return None
    rows = [_probe_row(row, data) for row in data.probes]
    table = _table(("Probe", "State", "Answered in", "Last check", "Certificate ends"), rows)
    return _section("probes", "Probes from here", table, _more(data, "probes", "probe"))


def _probe_row(row: ProbeRow, data: PageData) -> Sequence[Child]:
    kind, words = ("warn", "… fails") if row.failing and row.state != "down" else _PROBE_STATES[row.state]
    since = None if row.state in ("new", "up") else join((", since ", _time(row.since, data.now)))
    why = join((": ", row.reason)) if row.reason else None
    theirs = join((". They say: ", row.theirs)) if row.theirs else None
    return (
        tag("span", row.name, title=row.address),
        join((tag("span", words, class_=f"state {kind}"), since, why, theirs)),
        None if row.latency is None else tag("span", f"{row.latency * 1000:.0f} ms", title=row.timing),
        None if row.checked is None else _time(row.checked, data.now),
        None if row.certificate_until is None else _time(row.certificate_until, data.now),
    )


def _channels(data: PageData) -> Html:
    rows = [_channel_row(row, data) for row in data.channels]
    titles = ("Channel", "State", "Queued", "Oldest", "Last delivered", "Posted", "Suppressed", "Last error")
    return _section("channels", "Channels", _table(titles, rows, numbers={2, 5, 6}))


def _channel_row(row: ChannelRow, data: PageData) -> Sequence[Child]:
    kind, words = _CHANNEL_STATES[row.state]
    if row.stand_in is not None:
        words += f", #{row.stand_in} stands in"
    return (
        f"#{row.name}",
        tag("span", words, class_=f"state {kind}"),
        row.queued,
        None if row.oldest is None else _time(row.oldest, data.now),
        None if row.last_delivered is None else _time(row.last_delivered, data.now),
        row.accounts.get("posted", 0),
        row.accounts.get("suppressed", 0),
        None
        if not row.last_error
        else join((row.last_error, None if row.last_error_at is None else (", ", _time(row.last_error_at, data.now)))),
    )


# What failed ---------------------------------------------------------------------------


def _failed(data: PageData, csrf: str) -> Html:
    return join((_dead_letters(data, csrf), _quarantine(data, csrf)))


def _dead_letters(data: PageData, csrf: str) -> Html | None:
    if not data.dead_letters:
        return None
    rows = [_dead_letter_row(row, data, csrf) for row in data.dead_letters]
    table = _table(("When", "Channel", "Why", "Notices", "Do"), rows, numbers={3})
    note = tag("p", "Messages that Discord refused for good. Sending again makes them anew.", class_="soft")
    return _section("dead-letters", "Dead letters", note, table, _more(data, "dead_letters", "message"))


def _dead_letter_row(row: DeadLetterRow, data: PageData, csrf: str) -> Sequence[Child]:
    again = _button(f"{data.base}/dead-letters/{row.id}/replay", "Send again", csrf)
    done = None if row.replayed_at is None else join(("sent again ", _time(row.replayed_at, data.now)))
    why = f"{row.reason}: {row.detail}" if row.detail else row.reason
    return (_time(row.at, data.now), f"#{row.channel}", why, row.notices, done or again)


def _quarantine(data: PageData, csrf: str) -> Html | None:
    if not data.quarantine:
        return None
    rows = [_quarantine_row(row, data, csrf) for row in data.quarantine]
    table = _table(("When", "Sender", "Why", "Bytes", "Do"), rows, numbers={3})
    note = tag("p", "What was received and not understood. Nothing of it was told.", class_="soft")
    return _section("quarantine", "Quarantine", note, table, _more(data, "quarantine", "payload"))


def _quarantine_row(row: QuarantineRow, data: PageData, csrf: str) -> Sequence[Child]:
    again = _button(f"{data.base}/quarantine/{row.id}/replay", "Take again", csrf) if row.kept else None
    do = (again, " ", _button(f"{data.base}/quarantine/{row.id}/drop", "Drop", csrf))
    why = row.reason if row.times == 1 else f"{row.reason} ({row.times} times)"
    return (_time(row.at, data.now), row.source, why, row.size, join(do))


def _button(path: str, words: str, csrf: str) -> Html:
    hidden = tag("input", type="hidden", name="csrf", value=csrf)
    return tag("form", hidden, tag("button", words, type="submit"), method="post", action=path)


# Parts ---------------------------------------------------------------------------------


def _section(name: str, title: str, *children: Child) -> Html:
    return tag("section", tag("h2", title, id=name), *children, aria_labelledby=name)


def _table(titles: Sequence[str], rows: Iterable[Sequence[Child]], numbers: set[int] | None = None) -> Html:
    numbers = numbers or set()
    kinds = ["number" if column in numbers else None for column in range(len(titles))]
    head = tag("tr", [tag("th", title, scope="col", class_=kind) for title, kind in zip(titles, kinds, strict=True)])
    lines = [tag("tr", [_cell(*column) for column in zip(row, kinds, titles, strict=True)]) for row in rows]
    return tag("table", tag("thead", head), tag("tbody", lines), class_="wide")


def _cell(cell: Child, kind: str | None, title: str) -> Html:
    return tag("td", cell, class_=kind, data_label=title)


def _more(data: PageData, section: str, noun: str) -> Html | None:
    rest = data.hidden.get(section, 0)
    return tag("p", f"And {_count(rest, f'more {noun}')}.", class_="soft") if rest else None


def _separated(children: Iterable[Child]) -> Html:
    found = [child for child in children if child]
    return join([child if number == 0 else (" · ", child) for number, child in enumerate(found)])


def _time(at: float, now: float | None) -> Html:
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (OverflowError, OSError, ValueError):
        return tag("span", "at an impossible time")
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    shown = exact if now is None else f"{_span(now - at)} ago" if at <= now else f"in {_span(at - now)}"
    return tag("time", shown, datetime=moment.strftime("%Y-%m-%dT%H:%M:%SZ"), title=exact)


def _span(seconds: float) -> str:
    """``42 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"#{word}" for word in words)
