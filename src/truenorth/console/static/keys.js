// The key that leads to the line of promises works at once: whoever types on must not outrun the server. Escape, and
// Enter once a promise is written, lead back to the keys.
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (typing) {
    const written = event.key === "Enter" && typing.value && typing.closest(".tn-promising");
    if (event.key === "Escape" || written) setTimeout(() => typing.blur());
    return;
  }
  const off = document.querySelector(".tn-keys [aria-pressed=true]");
  if (event.key !== "p" || off || event.ctrlKey || event.altKey || event.metaKey) return;
  const line = document.querySelector(".tn-promising input");
  if (!line) return;
  event.preventDefault();
  line.focus();
});
