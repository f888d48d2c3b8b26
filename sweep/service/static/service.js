(() => {
  const root = document.documentElement;
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
})();
