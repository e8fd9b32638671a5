"use strict";
// The tuning's report is drawn already; the script walks by keys and switches themes.
const words = JSON.parse(document.getElementById("data").textContent);
const find = (selector) => document.querySelector(selector);
const every = (selector) => [...document.querySelectorAll(selector)];
const themes = ["", "light", "dark"];

function theme() {
  const root = document.documentElement;
  root.dataset.theme = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % 3];
  find("#theme-name").textContent = words.themes[root.dataset.theme];
}

function walk(step) {
  const cards = every("section.card");
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const next = cards[Math.max(0, Math.min(cards.length - 1, at + step))];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start" });
}

function tables() {
  const folded = every("details");
  const open = folded.some((one) => !one.open);
  for (const one of folded) one.open = open;
}

const keys = { "?": () => find("#keys").showModal(), d: theme, j: () => walk(1), k: () => walk(-1), t: tables };
document.addEventListener("keydown", (event) => { // single keys act only when no field has focus
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, dialog *")) return;
  if (!keys[event.key]) return;
  keys[event.key]();
  event.preventDefault();
});
find("#theme-switch").addEventListener("click", theme);
find("#show-keys").addEventListener("click", keys["?"]);
addEventListener("beforeprint", () => { for (const details of every("details")) details.open = true; });
