// Before the first paint, so that a dark page never flashes light: the theme somebody chose, if one was.
try {
  var chosen = new URLSearchParams(location.search).get("theme") || localStorage.getItem("watchband-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch (error) {
  // Storage may be refused; the system's theme stands then.
}
