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

  // What a reader has done in a part (typed, chosen, opened, scrolled) outlives a newer part.
  const fields = (part) => [...part.querySelectorAll("input")].map((e) => [e, `${e.name}=${e.type === "checkbox" ? e.value : ""}`]);
  const state = (part) => ({
    values: new Map(fields(part).map(([e, key]) => [key, [e.value, e.defaultValue, e.checked]])),
    open: [...part.querySelectorAll("details[open] > summary")].map((e) => e.textContent),
    scrolled: [...part.querySelectorAll("[data-keep]")].map((e) => [e.dataset.keep, e.scrollLeft, e.scrollTop, e.scrollTop + e.clientHeight >= e.scrollHeight - 4]),
    focused: part.contains(document.activeElement) ? [document.activeElement.getAttribute("href"), document.activeElement.id, document.activeElement.name, document.activeElement.value] : null,
  });
  const restore = (part, {values, open, scrolled, focused}) => {
    for (const [e, key] of fields(part)) {
      const before = values.get(key);
      if (!before) continue;
      if (e.type === "checkbox") e.checked = before[2];
      else if (before[0] !== before[1]) e.value = before[0];
    }
    for (const each of part.querySelectorAll("details > summary"))
      if (open.includes(each.textContent)) each.parentElement.open = true;
    for (const [key, left, top, last] of scrolled) {
      const e = part.querySelector(`[data-keep="${key}"]`);
      if (e) { e.scrollLeft = left; e.scrollTop = last ? e.scrollHeight : top; }
    }
    if (!focused) return;
    const [href, id, name, value] = focused;
    for (const e of part.querySelectorAll("a, input, button, summary, [tabindex]"))
      if (e.getAttribute("href") === href && e.id === id && e.name === name && e.value === value) { e.focus(); break; }
  };

  // A part that keeps itself up to date: its HTML is asked for again when something has changed,
  // and only what differs is replaced.
  const live = document.querySelector("[data-live]");
  const chosen = () => {
    const button = document.querySelector("[data-choose]");
    if (!button) return;
    const [least, most] = button.dataset.choose.split(" ").map(Number);
    const count = document.querySelectorAll('input[name="key"]:checked').length;
    button.disabled = count < least || count > most;
  };
  const parts = (element) => [...element.querySelectorAll("[data-part]")];
  const names = (element) => parts(element).map((e) => e.dataset.part).join("\n");
  const take = (html) => {
    const made = document.createElement("template");
    made.innerHTML = html;
    if (names(made.content) !== names(live)) {
      const before = state(live);
      live.replaceChildren(made.content);
      restore(live, before);
    } else {
      const fresh = parts(made.content);
      parts(live).forEach((old, n) => {
        const source = fresh[n].outerHTML;
        if ((old.source ?? old.outerHTML) === source) return;
        const before = state(old);
        fresh[n].source = source;
        old.replaceWith(fresh[n]);
        restore(fresh[n], before);
      });
    }
    const title = live.querySelector("[data-title]");
    if (title) document.title = title.dataset.title;
    chosen();
  };
  if (live) {
    for (const part of parts(live)) part.source = part.outerHTML;
    const log = live.querySelector(".log");
    if (log) log.scrollTop = log.scrollHeight;
    let busy = false, again = false;
    const refresh = async () => {
      if (busy || document.hidden) { again = true; return; }
      busy = true; again = false;
      try {
        // 304: what this page shows is still so
        const headers = {Accept: "text/html", "If-None-Match": live.dataset.tag};
        const answer = await fetch(live.dataset.live, {headers});
        if (answer.status === 401 || answer.status === 404) { location.reload(); return; }
        if (answer.ok) { take(await answer.text()); live.dataset.tag = answer.headers.get("ETag"); }
      } catch { again = true; /* the server is away; the stream says when it is back */ }
      setTimeout(() => { busy = false; if (again) refresh(); }, 700);
    };
    document.addEventListener("visibilitychange", () => { if (again) refresh(); });
    live.addEventListener("change", chosen);
    chosen();
    const listen = () => {
      const stream = new EventSource(`${base}/api/v1/events`);
      stream.addEventListener("studies", (event) => {
        const {number} = JSON.parse(event.data);
        if (String(number) !== live.dataset.number) { live.dataset.number = number; refresh(); }
      });
      stream.onerror = () => {
        refresh();  // whose token was revoked is out at once
        if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
      };
    };
    listen();
  }

  // An upload tells how much of it has been sent, then that it is being checked.
  const upload = async (form) => {
    const told = form.querySelector("[data-sending]");
    const bar = told.querySelector("progress"), words = told.querySelector("span");
    const button = form.querySelector("button");
    const megabytes = (n) => (n / 1e6).toFixed(1);
    const ended = (text) => { button.disabled = false; bar.hidden = true; words.textContent = text; };
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({loaded, total}) => {
      bar.value = loaded / total;
      words.textContent = loaded < total ? `${megabytes(loaded)} of ${megabytes(total)} MB sent` : "Sent. Checking …";
    };
    request.upload.onload = () => { bar.removeAttribute("value"); words.textContent = "Sent. Checking …"; };
    request.onload = () => {
      if (request.status < 400) { location.assign(request.responseURL); return; }
      const main = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("main");
      if (!main) { ended(`The server failed (status ${request.status}); try again.`); return; }
      document.querySelector("main").replaceWith(main);
      main.focus();
      scrollTo(0, 0);
    };
    request.onerror = () => ended("The connection was lost; try again.");
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    told.hidden = bar.hidden = false;
    bar.value = 0;
    words.textContent = "Sending …";
    button.disabled = true;
    request.send(new FormData(form));
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.querySelector("[data-sending]")) return;
    event.preventDefault();
    upload(event.target);
  });

  // The field of a study file: line numbers, problems at their lines, a check after the last key.
  const source = document.getElementById("source");
  const checked = document.getElementById("checked");
  if (!source || !checked) return;
  const gutter = document.getElementById("gutter");
  const editor = gutter.parentElement;
  const pending = document.getElementById("checking");
  let wait = 0, asked = 0, before = source.value;
  let underWay = 0, probing = 0;  // the numbers of the check and of the probe that the server is at work on

  const number = () => {
    const count = source.value.split("\n").length;
    while (gutter.children.length > count) gutter.lastChild.remove();
    while (gutter.children.length < count)
      gutter.append(Object.assign(document.createElement("span"), {textContent: gutter.children.length + 1}));
    source.rows = Math.max(count, 12);
  };
  const mark = () => {
    const found = new Map();
    for (const each of checked.querySelectorAll("[data-line]"))
      found.set(Number(each.dataset.line), each.closest("li").querySelector("span").textContent);
    [...gutter.children].forEach((each, n) => {
      const message = found.get(n + 1);
      each.classList.toggle("marked", message !== undefined);
      each.title = message ?? "";
    });
    source.setAttribute("aria-invalid", String(checked.querySelector(".problems") !== null));
  };
  const jump = (line) => {
    const lines = source.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((n, each) => n + each.length + 1, 0);
    source.focus({preventScroll: true});
    source.setSelectionRange(start, start + (lines[line - 1] || "").length);
    gutter.children[line - 1]?.scrollIntoView({block: "nearest"});
  };
  // What is shown is of an older text, and another check is to come.
  const stale = (yes) => {
    pending.hidden = !yes;
    checked.classList.toggle("stale", yes);
    editor.classList.toggle("stale", yes);
    checked.setAttribute("aria-busy", String(yes));
  };
  const check = async (probe = false) => {
    if (underWay && !probe) return;  // it asks again when it is back, if there is a newer text
    clearTimeout(wait);
    const mine = asked, text = source.value;
    const body = new URLSearchParams({source: text, probe});
    if (probe) probing = mine; else underWay = mine;
    stale(true);
    try {
      const answer = await fetch(source.dataset.check, {method: "POST", body});
      const html = await answer.text();
      if (mine !== asked) return;
      if (answer.status === 401) { location.reload(); return; }
      if (answer.ok) { checked.innerHTML = html; mark(); }
    } catch { /* the server is away; the next key asks again */ } finally {
      if (!probe) underWay = 0;
      if (mine === asked) stale(false);
      else if (!probe && probing !== asked) check();
    }
  };
  const changed = () => {
    asked++;
    number(); mark(); stale(true);
    clearTimeout(wait);
    wait = setTimeout(check, 400);
  };
  const take_file = async (file) => { source.value = await file.text(); source.focus(); changed(); };

  gutter.hidden = false;
  source.classList.add("grown");
  document.getElementById("load").hidden = document.getElementById("check").hidden = true;
  source.addEventListener("input", changed);
  gutter.addEventListener("click", (event) => {
    const line = [...gutter.children].indexOf(event.target) + 1;
    if (line) jump(line);
  });
  checked.addEventListener("click", (event) => {
    const line = Number(event.target.closest("[data-line]")?.dataset.line);
    if (line) { event.preventDefault(); jump(line); return; }
    const button = event.target.closest("[data-probe]");
    if (!button) return;
    event.preventDefault();
    button.disabled = true;
    asked++;
    checked.querySelector("[data-probing]").textContent = "A few models are trained for a moment …";
    check(true);
  });
  document.getElementById("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) { event.target.value = ""; take_file(file); }
  });
  editor.addEventListener("dragover", (event) => { event.preventDefault(); editor.classList.add("over"); });
  editor.addEventListener("dragleave", () => editor.classList.remove("over"));
  editor.addEventListener("drop", (event) => {
    editor.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file) { event.preventDefault(); take_file(file); }
  });
  const form = document.getElementById("hand-in");
  const hand = form.querySelector("[data-busy]"), idle = hand.textContent;
  let handed = false;
  form.addEventListener("submit", (event) => {
    if (handed) { event.preventDefault(); return; }
    if (event.submitter !== hand) return;
    handed = true;
    hand.textContent = hand.dataset.busy;
    hand.setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => {  // also when one comes back to this page
    handed = false;
    hand.textContent = idle;
    hand.removeAttribute("aria-disabled");
  });
  document.querySelector(".begin").addEventListener("submit", (event) => {
    if (source.value !== before && !confirm("Replace what stands in the field?")) event.preventDefault();
  });
  number();
  if (checked.querySelector(".problems, .terms")) mark(); else { asked++; check(); }
})();
