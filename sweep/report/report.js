(() => {
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;

  const theme = find("theme");
  theme.onclick = () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };

  const table = find("board");
  if (!table) return;
  const body = table.tBodies[0];
  const text = (row, n) => row.cells[n].textContent.trim();
  const number = (s) => Number(s.replaceAll(",", ""));
  const order = (a, b) => {
    if (!a || !b) return a ? -1 : b ? 1 : 0;
    const [x, y] = [number(a), number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };
  for (const head of table.tHead.rows[0].cells) {
    const button = head.querySelector("button");
    if (!button) continue;
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const n = head.cellIndex;
      body.append(...[...body.rows].sort((r, s) => {
        const [a, b] = [text(r, n), text(s, n)];
        return down && a && b ? order(b, a) : order(a, b);
      }));
    };
  }
  const filter = find("filter");
  filter.oninput = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const row of body.rows) {
      const held = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => held.includes(word));
      count += !row.hidden;
    }
    table.classList.toggle("filtered", filter.value.trim() !== "");
    find("found").textContent = filter.value.trim() ? `${count} of ${body.rows.length}` : "";
  };

  const columns = find("columns");
  const headings = [...table.tHead.rows[0].cells];
  for (const head of headings) {
    if (!head.textContent.trim()) continue;
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.onchange = () => {
      const n = head.cellIndex;
      for (const row of table.rows) row.cells[n].hidden = !box.checked;
    };
    label.append(box, ` ${head.textContent.trim()}`);
    columns.append(label);
  }

  const csv = find("csv");
  csv.onclick = async () => {
    const packed = Uint8Array.from(atob(csv.dataset.packed), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await new Response(stream).text()], { type: "text/csv" }));
    link.download = csv.dataset.name;
    link.click();
    URL.revokeObjectURL(link.href);
  };

  const drawn = find("parallel");
  const pick = (candidate, words) => {
    for (const old of document.querySelectorAll(".picked")) old.classList.remove("picked");
    const chosen = `[data-candidate="${CSS.escape(candidate)}"]`;
    for (const each of document.querySelectorAll(chosen)) {
      each.classList.add("picked");
      if (each.tagName === "path") each.parentNode.insertBefore(each, drawn.querySelector(".axis"));
    }
    if (drawn) find("picked").textContent = words;
  };
  const row = (event) => event.target.closest("tr[data-candidate]");
  const take = (held) => {
    if (!held) return;
    for (const each of body.rows) each.tabIndex = each === held ? 0 : -1;
    pick(held.dataset.candidate, `Chosen: candidate ${held.dataset.candidate}.`);
  };
  body.onclick = (event) => take(row(event));
  body.onkeydown = (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step) return;
    let to = row(event)[step];
    while (to && !to.offsetParent) to = to[step];
    if (!to) return;
    event.preventDefault();
    take(to);
    to.focus();
  };
  for (const each of body.rows) each.tabIndex = each === body.rows[0] ? 0 : -1;
  if (drawn) drawn.onclick = (event) => {
    const path = event.target.closest("path[data-candidate]");
    if (path) pick(path.dataset.candidate, `Chosen: ${path.textContent}.`);
  };
})();
