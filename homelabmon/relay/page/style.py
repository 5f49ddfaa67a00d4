"""The page's style sheet: light and dark, wide and narrow, on paper. Contrast of every colour is at least 4.5 to 1.

The palette is the one measured for the status page: text colours on white and on #0f172a.
"""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #0f172a; --soft: #475569; --line: #d5dbe3; --card: #f8fafc;
  --ok: #0b7a53; --warn: #b45309; --bad: #b42318; --calm: #1d4ed8; --none: #5b6472;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f172a; --ink: #e8edf5; --soft: #a3b1c6; --line: #2c3a52; --card: #16213a;
    --ok: #34d399; --warn: #fbbf24; --bad: #f87171; --calm: #60a5fa; --none: #9ca3af;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .25rem 0; }
a { color: var(--calm); }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid var(--calm); outline-offset: 2px; }
.soft { color: var(--soft); }
.banner { border-left: .4rem solid var(--ok); background: var(--card); padding: .75rem 1rem; margin: 1rem 0; }
.banner.bad { border-color: var(--bad); } .banner.warn { border-color: var(--warn); }
.banner strong { font-size: 1.1rem; }
.incident { border: 1px solid var(--line); border-left: .4rem solid var(--none); border-radius: .3rem;
  background: var(--card); padding: .75rem 1rem; margin: .75rem 0; }
.incident.critical { border-left-color: var(--bad); } .incident.warning { border-left-color: var(--warn); }
.incident.info { border-left-color: var(--calm); } .incident.over { border-left-color: var(--ok); }
.state { font-weight: 600; white-space: nowrap; }
.critical > header .state, .state.bad { color: var(--bad); }
.warning > header .state, .state.warn { color: var(--warn); }
.info > header .state { color: var(--calm); } .over > header .state, .state.ok { color: var(--ok); }
.incident header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; }
th { font-weight: 600; color: var(--soft); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
time { white-space: nowrap; }
form { display: inline; }
button { font: inherit; padding: .15rem .6rem; border: 1px solid var(--line); border-radius: .3rem;
  background: var(--paper); color: var(--ink); cursor: pointer; }
.skip { position: absolute; left: -999rem; } .skip:focus { position: static; }
footer { margin: 2rem 0 1rem; border-top: 1px solid var(--line); padding-top: .5rem; color: var(--soft); }
@media (max-width: 40rem) {
  table.wide thead { position: absolute; left: -999rem; }
  table.wide tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0; }
  table.wide td { display: block; border: 0; padding: .05rem 0; text-align: left; }
  table.wide td[data-label]:not(:empty)::before { content: attr(data-label) ": "; color: var(--soft); }
}
@media print { button, .skip { display: none; } body { max-width: none; } }
"""
