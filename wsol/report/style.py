"""The page's style sheet and script. One file of HTML holds them, so that it can be mailed."""

from __future__ import annotations

# Ten hues that stay apart in light and dark, also for most colour-blind readers; greys are baselines.
COLORS = (
    *("#3b82f6", "#f97316", "#10b981", "#e11d73", "#8b5cf6"),
    *("#d4a106", "#06a6c4", "#ef4444", "#78a22f", "#a16246"),
)
DASHES = ("none", "6 3", "2 3")

_RULES = """
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --card: #ffffff; --ink: #1d2129; --soft: #626b78; --rule: #e4e6ea;
  --tint: #f3f1ea; --bar: #3b82f61f; --good: #0b8a5a; --bad: #c2362b; --alike: #a06a00; --hue: #8b93a0;
}
@media (prefers-color-scheme: dark) { :root {
  --ground: #14161a; --card: #1b1e24; --ink: #e6e8ec; --soft: #98a1af; --rule: #2d323b;
  --tint: #25241f; --bar: #3b82f633; --good: #3ecf8e; --bad: #f0766b; --alike: #e0ac4b;
} }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 Inter, system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 1560px; margin: 0 auto; padding: 40px 28px 80px; }
h1 { font-size: 28px; letter-spacing: -.02em; margin: 0 0 4px; }
h2 { font-size: 21px; letter-spacing: -.01em; margin: 0 0 8px; }
h2 span { color: var(--soft); font-weight: 400; font-size: 15px; letter-spacing: 0; margin-left: 8px; }
h3 { font-size: 16px; margin: 30px 0 2px; }
p { margin: 4px 0 12px; color: var(--soft); max-width: 82ch; }
.lead { font-size: 17px; }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 18px; }
nav a {
  color: inherit; text-decoration: none; font-size: 13px; padding: 4px 12px;
  border: 1px solid var(--rule); border-radius: 99px; background: var(--card);
}
nav a:hover { border-color: var(--soft); }
section {
  background: var(--card); border: 1px solid var(--rule); border-radius: 12px;
  padding: 24px 26px; margin-top: 26px;
}
details > summary { cursor: pointer; font-weight: 600; margin: 14px 0 6px; }
.facts { margin: 0 0 14px; padding-left: 18px; color: var(--soft); }
.none { font-style: italic; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
table.sortable { width: 100%; }
th, td {
  text-align: left; vertical-align: top; padding: 7px 6px; border-bottom: 1px solid var(--rule);
}
thead th { border-bottom: 2px solid var(--rule); vertical-align: bottom; padding: 4px 2px; }
thead button {
  all: unset; cursor: pointer; font-size: 12px; font-weight: 600; color: var(--soft); line-height: 1.25;
  padding: 2px 6px; border-radius: 5px;
}
thead button:hover, thead button:focus-visible { color: var(--ink); background: var(--tint); }
thead [aria-sort=ascending] button::after { content: " \\2191"; }
thead [aria-sort=descending] button::after { content: " \\2193"; }
tbody th { font-weight: 600; min-width: 130px; padding-left: 4px; }
tbody th .swatch { margin-left: 0; }
td small { display: block; color: var(--soft); font-size: 11.5px; white-space: nowrap; }
.number { text-align: right; }
.bar { background: linear-gradient(to right, var(--bar) var(--part), transparent var(--part)); }
.best { font-weight: 700; }
.best small { font-weight: 400; }
tr.baseline > * { background-color: var(--tint); }
tr.baseline > th { font-style: italic; font-weight: 500; }
.alike { color: var(--alike); }
td .alike { margin-right: 4px; }
.up { color: var(--good); }
.down { color: var(--bad); }
td.alike small, td.up small, td.down small { color: inherit; opacity: .85; }
.swatch {
  display: inline-block; width: 18px; height: 0; margin-right: 9px; vertical-align: middle;
  border-top: 3px solid var(--hue);
}
.dash-1 .swatch, .center .swatch { border-top-style: dashed; }
.dash-2 .swatch, .features .swatch { border-top-style: dotted; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr)); gap: 18px; }
figure { margin: 0; }
figcaption { font-size: 13px; font-weight: 600; margin-left: 38px; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--rule); stroke-width: 1; }
.tick { fill: var(--soft); font-size: 11px; }
.curve polyline {
  fill: none; stroke: var(--hue); stroke-width: 2; stroke-linejoin: round; stroke-dasharray: var(--dash);
}
.curve circle { fill: var(--card); stroke: var(--hue); stroke-width: 2; }
.curve.baseline polyline { stroke-width: 1.6; }
.curve.center { --dash: 7 4; }
.curve.features { --dash: 2 3; }
.legend {
  list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 0; margin: 10px 0 0;
  font-size: 13px;
}
.legend li { cursor: default; }
.dimmed { opacity: .15; }
.lit > th { text-decoration: underline 2px var(--hue); text-underline-offset: 4px; }
.gallery th, .gallery td { border: 0; padding: 3px; background: none; vertical-align: middle; }
.gallery th {
  position: sticky; left: 0; z-index: 1; background: var(--card); min-width: 150px; padding-right: 12px;
}
.gallery tr.baseline > * { background-color: var(--card); }
.gallery td { text-align: center; vertical-align: bottom; }
.gallery img {
  height: 116px; width: auto; max-width: 180px; border-radius: 5px; display: block; margin: 0 auto;
}
.gallery small { max-width: 180px; overflow: hidden; text-overflow: ellipsis; }
.gallery small.up { color: var(--good); }
.gallery small.down { color: var(--bad); }
.gallery tr:first-child .swatch { visibility: hidden; }
b.true { color: #1fa35a; }
b.predicted { color: #2f8fe8; }
@media print { section { break-inside: avoid; } details > summary { display: none; } }
"""

_HUES = [f".color-{n} {{ --hue: {color}; }}" for n, color in enumerate(COLORS)]
_STROKES = [f".dash-{n} {{ --dash: {dash}; }}" for n, dash in enumerate(DASHES)]
STYLE = "\n".join([_RULES, *_HUES, *_STROKES])

SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.firstChild.addEventListener("click", () => {
    const key = row => {
      const cell = row.cells[column];
      return cell.dataset.value ?? cell.textContent.trim();
    };
    const rows = [...table.tBodies[0].rows];
    const numeric = rows.every(row => key(row) === "" || !isNaN(key(row)));
    const before = head.getAttribute("aria-sort");
    const falling = before ? before === "ascending" : numeric;
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const order = (a, b) => numeric ? key(a) - key(b) : key(a).localeCompare(key(b));
    rows.sort((a, b) => {
      if ((key(a) === "") !== (key(b) === "")) return key(a) === "" ? 1 : -1;
      return falling ? order(b, a) : order(a, b);
    });
    table.tBodies[0].append(...rows);
  }));
}
for (const section of document.querySelectorAll("section")) {
  const parts = [...section.querySelectorAll("[data-row]")].filter(part => part.dataset.row);
  const light = anchor => parts.forEach(part => {
    const mine = part.dataset.row === anchor;
    part.classList.toggle("lit", mine);
    if (part.matches(".curve, .legend li")) part.classList.toggle("dimmed", Boolean(anchor) && !mine);
  });
  parts.forEach(part => {
    part.addEventListener("mouseenter", () => light(part.dataset.row));
    part.addEventListener("mouseleave", () => light(""));
  });
}
"""
