"""The monitoring page: it says what runs, and nothing in a stack can break it."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from homelabmon.load import load
from homelabmon.render.page.markdown import code, fenced, link, plain, table
from homelabmon.render.plan import Plan, make_plan
from homelabmon.spec import names
from tests.stacks_common import EVERYTHING, GOLDEN, ROOT, plan_of

CASES = sorted(path.parent.name for path in GOLDEN.glob("*/stack.yaml"))
PAGE = "docs/monitoring.md"


def page_of(**sections: Any) -> str:
    return plan_of(**sections).files[PAGE]


@cache
def golden(case: str) -> Plan:
    return make_plan(load(GOLDEN / case / "stack.yaml"))


def section(page: str, title: str) -> str:
    """What stands below a heading of the second level."""
    match = re.search(rf"^## {title}\n\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert match is not None, f"no section {title}"
    return match[1]


def cells(page: str, title: str) -> list[list[str]]:
    """The rows of a section's first table, head first, as a reader sees them."""
    rows = [line for line in section(page, title).split("\n\n")[0].splitlines() if line.startswith("|")]
    rows = rows or [line for line in section(page, title).splitlines() if line.startswith("|")]
    shown = [[html.unescape(cell.strip()) for cell in row.strip("|").split(" | ")] for row in rows]
    return [row for row in shown if set("".join(row)) != {"-", "|", " "} and row != ["---"] * len(row)]


# What it says ------------------------------------------------------------------------------------------------------

OWNER: dict[str, Any] = {
    "name": "home",
    "cluster": {"distribution": "k3s", "load_balancer": {"provider": "metallb", "pool": ["192.168.1.224/28"]}},
    "components": {**EVERYTHING, "alertmanager": {"replicas": 2}},
    "lb_ips": {"grafana": "192.168.1.229", "vector": "192.168.1.232", "alertmanager": "192.168.1.233"},
    "channels": {
        name: {"discord": {"webhook": {"secret": "hooks", "key": name}}} for name in ("ops", "media", "security")
    },
    "routes": [
        {"name": "infrastructure", "match": {"alertname": ["NodeDown", "MemoryPressure"]}, "group_by": ["alertname"]},
        {
            "name": "media",
            "channel": "media",
            "matchers": ['namespace=~"media-.+"'],
            "hold": "5m",
            "routes": [{"name": "player", "match": {"service": "player"}, "group_by": ["..."], "continue": True}],
        },
        {"name": "security", "channel": "security", "match": {"source": "falco"}},
    ],
}


def test_page_says_where_it_comes_from_and_has_one_title() -> None:
    page = page_of(name="den")
    assert page.startswith(f"<!-- {names.HEADER} -->\n\n# Monitoring of den\n")
    assert len(re.findall(r"^# ", page, re.MULTILINE)) == 1


def test_components_are_led_by_the_chart_that_several_come_with() -> None:
    rows = cells(page_of(**OWNER), "Components")
    parts = "Prometheus, Alertmanager (HA, 2 replicas), Grafana, kube-state-metrics, prometheus-operator"
    assert rows[1] == ["kube-prometheus-stack", "namespace monitoring", parts]
    assert ["Loki", "monitoring/loki-0", "single binary"] in rows
    assert ["Falco", "security/falco", "runtime threat detection, alerts through Discord"] in rows
    assert [row[:2] for row in rows if "relay" in row[0]] == [
        ["Discord proxy (relay)", "monitoring/discord-alert-proxy"]
    ]


def test_alertmanager_that_is_not_installed_is_not_part_of_the_chart() -> None:
    page = page_of(components={"prometheus": {}, "alertmanager": {"install": False}})
    assert cells(page, "Components")[1][2] == "Prometheus, kube-state-metrics, prometheus-operator"


def test_addresses_are_those_of_the_stack_with_the_ports_to_reach_them_at() -> None:
    assert cells(page_of(**OWNER), "Addresses")[1:] == [
        ["Grafana", "192.168.1.229", "[http://192.168.1.229](http://192.168.1.229)"],
        ["Vector aggregator", "192.168.1.232", "`192.168.1.232:6000`"],
        ["Alertmanager", "192.168.1.233", "[http://192.168.1.233:9093](http://192.168.1.233:9093)"],
    ]
    assert "MetalLB hands them out from `192.168.1.224/28`." in page_of(**OWNER)


def test_routes_stand_in_order_with_what_they_inherit() -> None:
    usual, namespace = "1m; critical at once", "`alertname`, `namespace`"
    assert cells(page_of(**OWNER), "Routing")[1:] == [
        ["infrastructure", "`alertname` is `NodeDown` or `MemoryPressure`", "`#ops`", "`alertname`", usual],
        ["media", "`namespace` matches `media-.+`", "`#media`", namespace, "5m; critical at once"],
        [
            "↳ player (and later ones)",
            "`service` is `player`",
            "`#media`",
            "each alert by itself",
            "5m; critical at once",
        ],
        ["security", "`source` is `falco`", "`#security`", namespace, usual],
        ["everything else", "no route matched", "`#ops`", namespace, usual],
    ]


@pytest.mark.parametrize(
    ("matcher", "words"),
    [
        ('a="x"', "`a` is `x`"),
        ('a!="x"', "`a` is not `x`"),
        ('a=""', "there is no `a`"),
        ('a!=""', "there is a `a`"),
        ('a=~"x|y\\\\.z"', "`a` is `x` or `y.z`"),
        ('a!~"x|y"', "`a` is none of `x` or `y`"),
        ('a=~"x.+"', "`a` matches `x.+`"),
        ('a!~"(x|y)z"', "`a` does not match <code>(x|y)z</code>"),
    ],
)
def test_matchers_are_told_in_words(matcher: str, words: str) -> None:
    page = page_of(**{**OWNER, "routes": [{"name": "r", "matchers": [matcher]}]})
    assert cells(page, "Routing")[1][1] == words


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        ("60s", "1m; critical at once"),
        (0, "at once"),
        ({"default": "2m", "critical": "2m"}, "2m"),
        ({"default": "2m", "critical": "30s", "info": "1h"}, "2m; critical 30s; info 1h"),
        ({"critical": "30s"}, "1m; critical 30s"),
    ],
)
def test_holds_are_told_in_words(hold: object, words: str) -> None:
    page = page_of(defaults={"channel": "ops", "hold": hold})
    assert cells(page, "Routing")[1][4] == words


def test_watchdog_goes_to_the_outpost_or_plainly_to_nobody() -> None:
    components: dict[str, Any] = {"prometheus": {}, "alertmanager": {}}
    alone = page_of(components=components)
    watched = page_of(components=components, outpost={"url": "https://status.example.net"})
    assert "`Watchdog`, which always fires, goes to nobody: there is no outpost." in alone
    assert "`Watchdog`, which always fires, goes to the outpost" in watched


def test_page_without_an_outpost_says_what_that_means() -> None:
    assert "and nobody is told" in section(page_of(), "Outpost")


def test_heartbeat_that_nobody_watches_is_called_that() -> None:
    beats = [{"name": "a", "period": "1d"}, {"name": "b", "cronjob": "x/y"}]
    rows = cells(page_of(components={"prometheus": {}}, heartbeats=beats), "Heartbeats")
    watched = rows[0].index("Watched by")
    assert [row[watched] for row in rows[1:]] == ["**nobody: there is no outpost**", "the cluster"]


def test_probe_from_both_sides_names_both_watchers() -> None:
    probes = [{"name": "dns", "dns": {"server": "192.0.2.1:53", "query": "example.net"}, "from": "both"}]
    page = page_of(components={"prometheus": {}}, probes=probes, outpost={"url": "https://status.example.net"})
    assert cells(page, "Probes")[1][1:3] == ["DNS: `example.net A` of `192.0.2.1:53`", "the cluster and the outpost"]


def test_whatever_stands_on_a_fallen_thing_falls_even_in_a_circle() -> None:
    things = {"power": {}, "nas": {"on": ["power"]}, "media": {"on": ["nas", "films"]}, "films": {"on": ["media"]}}
    rows = {row[0]: row for row in cells(page_of(depends_on=things), "Blast radius")[1:]}
    falls = cells(page_of(depends_on=things), "Blast radius")[0].index("When it falls, these fall")
    assert rows["power"][falls] == "nas, media and films"
    assert rows["films"][falls] == "media"


def test_inhibition_is_that_of_the_rendered_alertmanager() -> None:
    things = {"nas": {"down": {"alertname": "NasDown"}}, "media": {"on": ["nas"], "match": {"namespace": "media"}}}
    page = page_of(components={"alertmanager": {}}, depends_on=things)
    assert ["`alertname` is `NasDown`", "`namespace` is `media`", "anywhere"] in cells(page, "Inhibition")
    assert ["any alert", "`alertname` is `InfoInhibitor`", "anywhere"] in cells(page, "Inhibition")


def test_route_without_matchers_takes_every_alert() -> None:
    assert cells(page_of(routes=[{"name": "all"}]), "Routing")[1][1] == "every alert"


def test_every_alert_of_every_rule_file_is_on_the_page_with_its_runbook() -> None:
    plan = golden("everything")
    rules = [
        rule
        for groups in plan.folded.rules.values()
        for group in groups
        for rule in group["rules"]
        if "alert" in rule and "runbook_url" in rule["annotations"]
    ]
    assert len(rules) > 50
    shown = {link(code(rule["alert"]), rule["annotations"]["runbook_url"]) for rule in rules}
    assert [alert for alert in sorted(shown) if alert not in plan.files[PAGE]] == []


def test_templates_in_summaries_are_told_as_placeholders() -> None:
    alert = {"alert": "A", "expr": "up", "summary": "{{ $labels.node }} at {{ $value | humanize }}: {{ if x }}"}
    assert cells(page_of(components={"prometheus": {}}, alerts=[alert]), "Own alerts")[1][3] == "{node} at {value}: {…}"


def test_packs_that_are_off_and_alerts_left_out_are_named() -> None:
    packs = {"logs": {"enabled": False}, "load_balancer": {"disabled": ["AddressPoolNearlyFull"]}}
    found = section(page_of(components=EVERYTHING, packs=packs), "Alerts")
    assert "- The pack logs is switched off." in found
    assert "- Left out of the pack load-balancer: `AddressPoolNearlyFull`." in found


def test_changes_to_the_charts_own_alerts_are_named() -> None:
    prometheus = {"disabled_alerts": ["CPUThrottlingHigh"], "default_alerts": {"KubeNodePressure": {"for": "5m"}}}
    found = section(page_of(components={"prometheus": prometheus}), "Alerts")
    assert "`CPUThrottlingHigh`" in found
    assert "- Changed: `KubeNodePressure` (for 5m)." in found


def test_status_page_shows_what_is_listed_and_what_names_the_group() -> None:
    found = section(
        page_of(
            outpost={"url": "https://status.example.net"},
            heartbeats=[{"name": "backup", "period": "1d", "group": "Backups"}],
            status_page={"title": "Home", "groups": [{"name": "Backups", "components": ["other"]}, {"name": "Empty"}]},
        ),
        "Outpost",
    )
    assert "| Backups | other, backup |" in found
    assert "An outage of 5m opens an incident there by itself." in found


def test_how_incidents_of_the_status_page_come_about_and_where_it_is_written_is_told() -> None:
    found = section(
        page_of(
            outpost={"url": "https://status.example.net"},
            heartbeats=[{"name": "backup", "period": "1d", "group": "Backups"}],
            status_page={"title": "Home", "incidents": "manual", "publish": {"directory": "/srv/status"}},
        ),
        "Outpost",
    )
    assert "| Backups | backup |" in found
    assert (
        "Incidents are told by hand: `homelabmon status incident open`. It is also written to `/srv/status`." in found
    )


# Secrets -----------------------------------------------------------------------------------------------------------


def test_every_secret_that_is_read_is_listed_once_and_made_with_a_placeholder() -> None:
    plan = plan_of(**OWNER)
    rows = cells(plan.files[PAGE], "Secrets")[1:]
    needed = {(need.namespace, need.secret, need.key) for need in plan.folded.secrets}
    assert [tuple(cell.strip("`") for cell in row[:3]) for row in rows] == sorted(needed)
    literals = re.findall(r"--from-literal=(\S+?)=(.*?)(?: \\)?$", plan.files[PAGE], re.MULTILINE)
    assert sorted(key for key, _ in literals) == sorted(key for _, _, key in needed)
    assert all(re.fullmatch(r"'<[^<>']+>'", value) for _, value in literals)


def test_readers_of_one_key_share_its_row() -> None:
    rows = cells(page_of(**OWNER), "Secrets")
    assert ["`monitoring`", "`hooks`", "`ops`", "Alertmanager and the relay"] in rows


def test_store_is_named_instead_of_commands() -> None:
    found = section(page_of(**OWNER, secrets={"store": "onepassword", "prefix": "home-"}), "Secrets")
    assert "The ClusterSecretStore `onepassword` gives them." in found
    assert "`home-SECRET`" in found
    assert "kubectl" not in found


# Installing --------------------------------------------------------------------------------------------------------


def test_every_app_comes_after_what_it_waits_for() -> None:
    rows = cells(page_of(**OWNER), "Installing")
    assert rows[1][0] == "kube-prometheus-stack"
    lines = re.findall(r"^\| \[([\w-]+)\]\(\.\./apps/\S+\) \| (.*?) \|", page_of(**OWNER), re.MULTILINE)
    done: set[str] = set()
    for app, after in lines:
        assert set(filter(None, re.split(r", | and ", after))) <= done
        done.add(app)
    assert {"namespaces", "vector", "loki", "monitoring-config"} <= done


def test_without_flux_there_are_commands_and_no_word_of_flux_objects() -> None:
    cluster = {**OWNER["cluster"], "flux": {"enabled": False}}
    found = section(page_of(**{**OWNER, "cluster": cluster}), "Installing")
    commands = re.findall(r"^(?:kubectl|helm) .*", found, re.MULTILINE)
    assert commands[0] == "kubectl apply --server-side --kustomize apps/namespaces"
    assert "Kustomization" not in found
    assert any(command.startswith("helm upgrade --install loki oci://") for command in commands)


def test_app_that_holds_a_release_alone_needs_no_kubectl() -> None:
    cluster = {"distribution": "k3s", "flux": {"enabled": False}}
    found = section(page_of(components={"loki": {}}, cluster=cluster), "Installing")
    assert "apps/monitoring/loki" not in found


# Nothing breaks it -------------------------------------------------------------------------------------------------

AWKWARD = '<script>alert(1)</script> a|b `c` "d" [e](f) **g** _h_ $i$ ~~j~~ &lt; \\ \n# k'


def test_texts_of_the_owner_are_shown_as_they_stand() -> None:
    shown = " ".join(AWKWARD.split())
    page = page_of(
        components={"prometheus": {}, "alertmanager": {}},
        channels={"ops": {"description": AWKWARD, "discord": {"webhook": {"secret": "h", "key": "k"}}}},
        alerts=[{"alert": "A", "expr": "up", "summary": AWKWARD, "runbook": "https://wiki.example.net/a(b)|c"}],
        maintenance=[{"name": "m", "from": "01:00", "to": "02:00", "description": AWKWARD}],
        depends_on={"nas": {"description": AWKWARD}},
        routes=[{"name": "r", "match": {"path": AWKWARD}}],
        status_page={"title": "Home | <b>"},
        outpost={"url": "https://status.example.net"},
    )
    assert "<script" not in page.replace("#60;script", "")
    assert cells(page, "Channels")[1][1] == shown
    assert cells(page, "Own alerts")[1][3] == shown
    assert cells(page, "Maintenance windows")[1][3] == shown
    assert cells(page, "Routing")[1][1] == f"`path` is <code>{' '.join(AWKWARD.split())}</code>"
    assert "](https://wiki.example.net/a%28b%29%7Cc)" in page
    tables_are_whole(page)


@pytest.mark.parametrize("case", CASES)
def test_tables_of_every_example_are_whole(case: str) -> None:
    tables_are_whole(golden(case).files[PAGE])


def tables_are_whole(page: str) -> None:
    width = 0
    for line in page.splitlines():
        bars = line.count("|") if line.startswith("|") else 0
        assert not (width and bars) or bars == width, line
        width = bars


@pytest.mark.parametrize("case", CASES)
def test_links_of_every_example_lead_to_what_is_rendered(case: str) -> None:
    plan = golden(case)
    targets = re.findall(r"\]\(\.\./([^)]+)\)", plan.files[PAGE])
    assert targets
    assert [path for path in targets if not any(f"{file}/".startswith(f"{path}/") for file in plan.files)] == []


@pytest.mark.parametrize("part", sorted(EVERYTHING))
def test_page_of_a_stack_with_one_component_alone(part: str) -> None:
    tables_are_whole(page_of(components={part: {}}))


def test_page_of_an_empty_stack_holds_what_there_is_to_say() -> None:
    titles = re.findall(r"^## (.*)$", page_of(), re.MULTILINE)
    assert titles == ["Routing", "Channels", "Churn", "Outpost"]


def test_page_has_no_trailing_blanks_and_no_two_empty_lines() -> None:
    page = golden("everything").files[PAGE]
    assert not re.search(r"[ \t]$", page, re.MULTILINE)
    assert "\n\n\n" not in page
    assert page.endswith("\n")


def test_page_is_the_same_in_another_process_with_other_hashes() -> None:
    script = (
        "import sys; from pathlib import Path; from homelabmon.load import load;"
        "from homelabmon.render.plan import make_plan;"
        f"sys.stdout.write(make_plan(load(Path(sys.argv[1]))).files[{PAGE!r}])"
    )
    path = str(GOLDEN / "everything" / "stack.yaml")
    pages = [
        subprocess.run(
            [sys.executable, "-c", script, path],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert pages == [golden("everything").files[PAGE]] * 2


# The Markdown beneath ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("node_exporter", "node_exporter"),
        ("192.168.1.1", "192.168.1.1"),
        ("1. first", "&#49;. first"),
        ("# no heading", "&#35; no heading"),
        ("#ops", "#ops"),
        ("- no item", "&#45; no item"),
        ("a\n\nb", "a b"),
        ("_x_", "&#95;x&#95;"),
        ("a|b", "a&#124;b"),
    ],
)
def test_plain_text(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("up == 0", "`up == 0`"), ("a|b", "<code>a&#124;b</code>"), ("`", "<code>&#96;</code>"), ("", "<code></code>")],
)
def test_fixed_width_text(text: str, shown: str) -> None:
    assert code(text) == shown


def test_fence_is_longer_than_any_inside() -> None:
    assert fenced("text", "````\n```") == ["`````text", "````", "```", "`````"]


def test_table_leaves_empty_columns_out_and_without_rows_is_nothing() -> None:
    assert table(("A", "B"), [("x", ""), ("y", "")]) == ["| A |", "| --- |", "| x |", "| y |"]
    assert table(("A", "B"), []) == []


def test_markdown_reader_sees_every_table_as_one() -> None:
    """With a reader of Markdown where one is at hand."""
    markdown_it = pytest.importorskip("markdown_it")
    page = golden("everything").files[PAGE]
    shown = markdown_it.MarkdownIt("commonmark", {"html": False}).enable("table").render(page)
    assert shown.count("<table>") == len(re.findall(r"^\|( --- \|)+$", page, re.MULTILINE))
