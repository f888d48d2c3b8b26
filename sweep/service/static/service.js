(() => {
  const root = document.documentElement;
  const base = document.body.dataset.root;
  const theme = document.getElementById("theme");
  theme.hidden = false;
  const kept = localStorage.getItem("sweep-theme");
  if (kept) root.dataset.theme = kept;
  theme.onclick = () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("sweep-theme", root.dataset.theme);
  };

  // A part that keeps itself up to date: its HTML is asked for again when something has changed.
  const live = document.querySelector("[data-live]");
  if (live) {
    let busy = false;
    let again = false;
    const refresh = async () => {
      if (busy) { again = true; return; }
      busy = true;
      try {
        const answer = await fetch(live.dataset.live, {headers: {Accept: "text/html"}});
        if (answer.status === 401) { location.reload(); return; }
        if (answer.ok) {
          const open = [...live.querySelectorAll("details[open] > summary")].map((e) => e.textContent);
          const focused = document.activeElement?.getAttribute?.("href");
          live.innerHTML = await answer.text();
          for (const each of live.querySelectorAll("details > summary"))
            if (open.includes(each.textContent)) each.parentElement.open = true;
          if (focused) live.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
        }
      } catch { /* the server is away; the stream says when it is back */ }
      busy = false;
      if (again) { again = false; refresh(); }
    };
    const stream = new EventSource(`${base}/api/v1/events`);
    stream.addEventListener("studies", (event) => {
      const {number} = JSON.parse(event.data);
      if (String(number) !== live.dataset.number) { live.dataset.number = number; refresh(); }
    });
  }

  // The field of a study file is checked a moment after the last key.
  const source = document.getElementById("source");
  const checked = document.getElementById("checked");
  if (source && checked) {
    let wait = 0;
    let asked = 0;
    const check = async () => {
      const mine = ++asked;
      const body = new URLSearchParams({source: source.value});
      const answer = await fetch(source.dataset.check, {method: "POST", body});
      const html = await answer.text();
      if (mine === asked && answer.ok) checked.innerHTML = html;
    };
    const later = () => { clearTimeout(wait); wait = setTimeout(check, 400); };
    source.addEventListener("input", later);
    source.addEventListener("dragover", (event) => event.preventDefault());
    source.addEventListener("drop", async (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      source.value = await file.text();
      later();
    });
    checked.addEventListener("click", (event) => {
      const line = Number(event.target.closest("[data-line]")?.dataset.line);
      if (!line) return;
      const lines = source.value.split("\n");
      const start = lines.slice(0, line - 1).reduce((n, each) => n + each.length + 1, 0);
      source.focus();
      source.setSelectionRange(start, start + (lines[line - 1] || "").length);
    });
    if (!checked.textContent.trim()) check();
  }
})();
