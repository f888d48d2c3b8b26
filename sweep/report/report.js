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
})();
