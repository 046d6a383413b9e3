// The key that leads to the line of promises works at once: whoever types on must not outrun the server.
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  const off = document.querySelector(".tn-keys [aria-pressed=true]");
  if (event.key !== "p" || typing || off || event.ctrlKey || event.altKey || event.metaKey) return;
  const line = document.querySelector(".tn-promising input");
  if (!line) return;
  event.preventDefault();
  line.focus();
});
