"""Messages of every kind: what real alerts say, what nobody should ever send, and what is far too long."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from homelabmon.notifiers.message import AlertView, IncidentView, Links, Message, State

NASTY: Final = (
    "@everyone", "@here", "\\@everyone", "<@&1234>", "<@1234>", "<@!1234>", "<#1234>", "<t:0:R>", "</cmd:12>",
    "<id:home>", "<:pepe:1234>", "<a:pepe:1234>", ":skull:", "a:skull:b", "# big", "## mid", "### small", "-# sub",
    "- item", "* item", "+ item", "1. item", "12. item", "> quote", ">>> all quoted", "**b**", "*i*", "_i_", "__u__",
    "~~s~~", "||spoiler||", "`code`", "``co`de``", "```py\ncode\n```", "[click](https://evil.invalid)",
    "[a](<https://evil.invalid>)", "https://evil.invalid/x", "http://a_b_c.invalid/*x*", "<https://evil.invalid>",
    "discord.gg/abc", "https://discord.com/invite/abc", "DISCORD.GG/abc", "ends with \\", "\\\\", "\\*not\\*",
    "¯\\_(ツ)_/¯", "line\nbreak", "line\r\n# break", "a\u2028# b", "\x00nul", "\x1b[31mred", "\u202ertl\u202c",
    "שלום", "مرحبا", "e\u0301", "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324",
    "👩‍👩‍👧‍👦", "🇬🇧", "👍🏽", "\ud800",
    "\udc00\ud800", "\u200b", "\u200b\u200b", "\u2800", "\u3164", " ", "\t", "", "none", "None", "null",
    "\U0001f525" * 40, "𝕏" * 300, "\\" * 300, "*" * 300, "\u0301" * 500,
    "x" * 300, "\U000e0041\U000e0042", "\ufeff", "a" * 5000,
)  # fmt: skip

any_text = st.text(alphabet=st.characters(codec=None), max_size=40)
texts = st.one_of(
    st.sampled_from(NASTY),
    any_text,
    st.lists(st.one_of(st.sampled_from(NASTY), any_text), max_size=5).map(" ".join),
    st.builds(lambda text, times: text * times, st.sampled_from(NASTY), st.sampled_from((1, 50, 1000))),
)
names = st.one_of(
    st.sampled_from(
        ("alertname", "severity", "namespace", "node", "instance", "pod", "job", "prometheus", "__x__", "")
    ),
    texts,
)
severities = st.one_of(st.sampled_from(("critical", "warning", "info", "none", "")), texts)
times = st.one_of(
    st.floats(1.7e9, 1.9e9),
    st.floats(),
    st.sampled_from((0.0, -62135596800.0, 253402300799.0, 253402300800.0, 1e300)),
)
urls = st.one_of(
    st.sampled_from(
        (
            "http://kps-prometheus.monitoring:9090/graph?g0.expr=up%20%3D%3D%200&g0.tab=1",
            "https://prom.example.com/graph?g0.expr=a(b)",
            "http://[::1]:9090/graph?g0.expr=" + "x" * 3000,
            "javascript:alert(1)",
            "https://wiki.example.com/a b(c)[d]",
            "https://user:password@wiki.example.com/",
            "http://[",
            "https://example.com:99999/",
        )
    ),
    texts,
)
stated = st.dictionaries(
    st.one_of(
        st.sampled_from(("summary", "description", "message", "value", "runbook_url", "dashboard_url", "impact")), texts
    ),
    st.one_of(texts, urls),
    max_size=5,
)
states: st.SearchStrategy[State] = st.sampled_from(("firing", "resolved", "expired", "event"))


@st.composite
def alerts(draw: st.DrawFn) -> AlertView:
    return AlertView(
        labels=draw(st.dictionaries(names, texts, max_size=6)),
        severity=draw(severities),
        state=draw(states),
        starts_at=draw(times),
        annotations=draw(stated),
        ends_at=draw(st.none() | times),
        last_at=draw(st.none() | times),
        times=draw(st.integers(1, 10**12)),
        generator_url=draw(urls),
        silenced=draw(st.booleans()),
    )


@st.composite
def incidents(draw: st.DrawFn, most: int = 6) -> IncidentView:
    return IncidentView(
        id=draw(st.integers(1, 2**63)),
        route=draw(texts),
        source=draw(st.sampled_from(("alertmanager", "falco", "flux", "event", "heartbeat", "probe", "relay"))),
        state=draw(states),
        severity=draw(severities),
        title=draw(texts),
        group=draw(st.dictionaries(names, texts, max_size=3)),
        alerts=tuple(draw(st.lists(alerts(), min_size=1, max_size=most))),
        opened_at=draw(times),
        ended_at=draw(st.none() | times),
        returns=draw(st.integers(0, 10**9)),
        group_by_all=draw(st.booleans()),
    )


address = st.sampled_from(
    ("http://192.168.1.229", "https://grafana.example.com/sub", "javascript:alert(1)", "http://[")
)
links = st.builds(
    Links,
    alertmanager=st.none() | address,
    grafana=st.none() | address,
    prometheus=st.none() | address,
    relay=st.none() | address,
)
mentions = st.lists(
    st.one_of(
        st.sampled_from(("role:1234", "user:99", "everyone", "here", "role:x", "role:999999999999999999999", "")),
        st.integers(1, 2**62).map(lambda number: f"role:{number}"),
        texts,
    ),
    max_size=120,
).map(tuple)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    chosen = draw(st.lists(incidents(), min_size=1, max_size=4))
    return Message(
        channel=draw(texts),
        incidents=tuple(chosen),
        mentions=draw(mentions),
        links=draw(links),
        note=draw(texts),
        sender=draw(st.none() | texts),
        stack=draw(texts),
    )
