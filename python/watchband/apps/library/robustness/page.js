"use strict";
// The switch of the theme and the dialog of keys; everything else is a plain page.
(() => {
  const find = (what) => document.querySelector(what), root = document.documentElement;
  const themes = ["", "light", "dark"], names = { "": "as the system", light: "light", dark: "dark" };
  const next = () => {
    root.dataset.theme = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % 3];
    find("#theme-name").textContent = names[root.dataset.theme];
  };
  const asked = new URLSearchParams(location.search).get("theme");
  if (themes.includes(asked)) root.dataset.theme = asked;
  find("#theme-switch").addEventListener("click", next);
  find("#show-keys").addEventListener("click", () => find("#keys").showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") find("#keys").showModal();
    const measure = find(`.measures input:nth-of-type(1)[data-key="${CSS.escape(event.key)}"]`);
    if (measure) { measure.checked = true; measure.focus(); }
    if (event.key === "d") next();
  });
})();
