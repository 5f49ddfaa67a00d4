"""The status page's style sheet: light and dark, wide and narrow, on paper. Every text has a contrast of 4.5 to 1.

The palette is measured on white and on #0f172a. May import: the standard library.
"""

import base64
import hashlib
import re
from typing import Final

_WRITTEN: Final = """
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #0f172a; --soft: #475569; --line: #dbe1e9; --card: #f8fafc;
  --ok: #0b7a53; --slow: #b45309; --bad: #b42318; --care: #1d4ed8; --none: #5b6472;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f172a; --ink: #e8edf5; --soft: #a3b1c6; --line: #2c3a52; --card: #152039;
    --ok: #34d399; --slow: #fbbf24; --bad: #f87171; --care: #60a5fa; --none: #9ca3af;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 50rem; padding: 1.5rem 1rem 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.125rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; font-weight: 600; }
p { margin: .25rem 0; }
a { color: var(--care); text-underline-offset: .15em; }
h1 a, h3 a { color: inherit; }
:focus-visible { outline: 3px solid var(--care); outline-offset: 3px; border-radius: .2rem; }
.soft, time { color: var(--soft); }
.small { font-size: .875rem; }
.vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
.defs { position: absolute; width: 0; height: 0; }
.operational { --it: var(--ok); } .degraded { --it: var(--slow); } .partial, .outage { --it: var(--bad); }
.maintenance { --it: var(--care); } .unknown { --it: var(--none); }
.state { color: var(--it); font-weight: 600; }
.state.operational::before { content: "● "; content: "● " / ""; }
.state.maintenance::before { content: "◆ "; content: "◆ " / ""; }
.state.unknown::before { content: "○ "; content: "○ " / ""; }
.state.degraded::before { content: "▲ "; content: "▲ " / ""; }
.state.partial::before { content: "◐ "; content: "◐ " / ""; }
.state.outage::before { content: "■ "; content: "■ " / ""; }
.banner { margin: 1.25rem 0 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-left: .5rem solid var(--it);
  border-radius: .5rem; background: var(--card); }
.banner .head { font-size: 1.25rem; line-height: 1.35; font-weight: 600; margin: 0 0 .25rem; }
.banner .shape { color: var(--it); margin-right: .35rem; }
.card { margin: 0 0 1rem; padding: .9rem 1.25rem 1rem; border: 1px solid var(--line);
  border-left: .3rem solid var(--it); border-radius: .5rem; }
.card ol { list-style: none; margin: .75rem 0 0; padding: 0; }
.card li time { white-space: nowrap; }
.card li { margin: .6rem 0 0; }
.card li p { white-space: pre-line; }
.groups { margin-top: 2.25rem; }
.group { border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 1rem; }
.group > summary { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; padding: .75rem 1.25rem;
  cursor: pointer; list-style: none; }
.group > summary::-webkit-details-marker { display: none; }
.group > summary::before { content: "▸"; color: var(--soft); width: .8rem; }
.group[open] > summary::before { content: "▾"; }
.group > summary h2 { margin: 0; flex: 1 1 auto; }
.group > .note { padding: 0 1.25rem .75rem; margin: 0; }
.row { padding: .9rem 1.25rem; border-top: 1px solid var(--line); }
.row header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; justify-content: space-between; }
.row > p, .row details > *, .scale { font-size: .875rem; }
.row > p { color: var(--soft); }
.row details { margin-top: .5rem; }
.row summary { display: block; cursor: pointer; list-style: none; overflow: hidden; }
.row summary::-webkit-details-marker { display: none; }
.row svg { display: block; width: 100%; height: 2rem; }
.row path, .key path { fill: none; stroke-dasharray: 4 2; }
path.ok { stroke: var(--ok); stroke-width: 32; } path.slow { stroke: var(--slow); stroke-width: 21; }
path.dot { stroke: var(--slow); stroke-width: 4; } path.down { stroke: url(#hatch); stroke-width: 32; }
path.none { stroke: var(--none); stroke-width: 2; }
path.care { stroke: var(--care); stroke-width: 1; stroke-dasharray: none !important; }
path.bad { fill: var(--bad); } path.cut { fill: var(--paper); }
.scale { display: flex; justify-content: space-between; gap: .5rem; margin: .3rem 0 0; }
.scale b { font-weight: 600; color: var(--ink); font-variant-numeric: tabular-nums; }
.scale::before { content: "90 days ago"; } .scale::after { content: "today"; }
table { border-collapse: collapse; margin: .5rem 0 0; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; border-top: 1px solid var(--line);
  font-weight: 400; }
th { white-space: nowrap; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; margin: .5rem 0; }
.key svg { width: .3rem; height: 1.1rem; vertical-align: -.2rem; margin-right: .4rem; }
.plain, .row ul { padding-left: 1.2rem; margin: .5rem 0; }
footer { margin: 2.5rem 0 0; border-top: 1px solid var(--line); padding-top: .75rem; }
footer nav a { margin-right: 1rem; }
@media (max-width: 640px) {
  .row svg { width: 300%; margin-left: -200%; }
  .scale::before { content: "30 days ago"; }
}
@media (max-width: 400px) {
  .row header { display: block; }
  .banner, .card, .row, .group > summary, .group > .note { padding-left: .9rem; padding-right: .9rem; }
  th, td { display: block; border: 0; padding: 0; } th { border-top: 1px solid var(--line); padding-top: .3rem; }
}
@media (prefers-reduced-motion: no-preference) { a, summary { transition: color .15s; } }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; } .skip, nav { display: none; }
  .card, .row, .banner { break-inside: avoid; }
  * { print-color-adjust: exact; }
}
@media (forced-colors: active) { .row svg, .key svg { forced-color-adjust: none; background: #fff; } }
"""

STYLE: Final = re.sub(r"\s*([{};:,>])\s+|\s+(?={)", r"\1", re.sub(r"\n\s*", " ", _WRITTEN)).strip()
"""Without what only makes it readable."""
STYLE_HASH: Final = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""By this the security policy knows that the style is ours."""
