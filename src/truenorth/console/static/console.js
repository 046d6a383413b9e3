// Zone, theme and menu. The reader's zone and shade go into cookies, so that the server writes instants and figures
// as they read them; where they are new, the page is loaded once more.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 60rem)");
  const cookie = (name) => document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1] ?? "";
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  };
  const theme = () => cookie("truenorth_theme") || "auto";
  const shade = () => (theme() === "auto" ? (dark.matches ? "dark" : "light") : theme());
  const apply = () => {
    root.dataset.shade = shade();
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const isNew = cookie("truenorth_zone") !== zone || cookie("truenorth_shade") !== shade();
  keep("truenorth_zone", zone);
  keep("truenorth_shade", shade());
  apply();
  if (isNew && cookie("truenorth_zone") === zone && document.currentScript?.dataset.reload !== "no") {
    location.reload();
  }
  dark.addEventListener("change", apply);
  window.truenorth = {
    theme,
    tour(step, address) {
      keep("truenorth_tour", step);
      if (address) location.assign(address);
      else document.querySelector(".tn-tour")?.remove();
    },
    // What stands before a button, to the clipboard; where a browser gives none (without https), it is marked instead.
    async copy(button) {
      const text = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Marked: copy it now";
      }
    },
  };
  const nextTheme = () => {
    const order = ["auto", "light", "dark"];
    keep("truenorth_theme", order[(order.indexOf(theme()) + 1) % order.length]);
    keep("truenorth_shade", shade());
    location.reload();
  };
  // An address has the filters that somebody chose, and no empty ones.
  document.addEventListener("formdata", ({ target, formData }) => {
    if (!target.classList.contains("tn-filters")) return;
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
  // A choice among filters is taken at once.
  document.addEventListener("change", ({ target }) => {
    if (target.matches("form.tn-filters select")) target.form.requestSubmit();
  });
  document.addEventListener("click", ({ target }) => {
    if (target.id === "tn-theme") nextTheme();
  });
  // What a tab keeps goes with whoever signs out.
  document.addEventListener("submit", ({ target }) => {
    if (target.getAttribute("action") === "/sign-out") sessionStorage.clear();
  });
  const fold = () => {
    const menu = document.getElementById("tn-menu");
    if (menu) menu.open = !narrow.matches;
    const button = document.getElementById("tn-theme");
    const words = `Theme: ${theme()}`;
    if (button && button.textContent !== words) button.textContent = words; // a change would be observed again
    return menu;
  };
  narrow.addEventListener("change", fold);
  // The menu is folded in the first look, and again in the page itself, which takes its place.
  const wait = new MutationObserver(() => {
    const isThere = document.getElementById("app")?.hasChildNodes();
    if (isThere) document.getElementById("tn-first")?.remove();
    if (fold() && isThere) wait.disconnect();
  });
  wait.observe(root, { childList: true, subtree: true });
})();
