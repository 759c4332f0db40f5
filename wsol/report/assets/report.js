"use strict";

// A click on a column's head sorts by it: numbers the largest first, text from A to Z, then turned round.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
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
      // Empty cells come last in either direction.
      if ((key(a) === "") !== (key(b) === "")) return key(a) === "" ? 1 : -1;
      return falling ? order(b, a) : order(a, b);
    });
    table.tBodies[0].append(...rows);
  }));
}

// Pointing at a row brings it out in table, curves and overlays; a click in the legend keeps it so.
for (const section of document.querySelectorAll("section")) {
  const parts = [...section.querySelectorAll("[data-row]")];
  let kept = "";
  const show = anchor => parts.forEach(part => {
    const mine = part.dataset.row === anchor;
    part.classList.toggle("lit", mine);
    if (part.matches(".curve, .legend li")) part.classList.toggle("dimmed", Boolean(anchor) && !mine);
  });
  parts.forEach(part => {
    part.addEventListener("mouseenter", () => show(part.dataset.row));
    part.addEventListener("mouseleave", () => show(kept));
  });
  const buttons = [...section.querySelectorAll(".legend button")];
  buttons.forEach(button => button.addEventListener("click", () => {
    const anchor = button.parentElement.dataset.row;
    kept = kept === anchor ? "" : anchor;
    buttons.forEach(other => {
      other.setAttribute("aria-pressed", String(other.parentElement.dataset.row === kept));
    });
    show(kept);
  }));
}
