"use strict";
// The backtest's report is drawn already; the script switches candidates, themes and walks by keys.
const page = JSON.parse(document.getElementById("data").textContent);
const find = (selector, root = document) => root.querySelector(selector);
const every = (selector, root = document) => [...root.querySelectorAll(selector)];
const themes = ["", "light", "dark"];

function choose(number, told = true) {
  if (!(number in page.candidates)) return;
  for (const part of every("[data-of]")) part.hidden = Number(part.dataset.of) !== number;
  for (const button of every("[data-candidate]")) button.setAttribute("aria-pressed", String(Number(button.dataset.candidate) === number));
  if (told && find("#switched")) find("#switched").textContent = `${page.words.showing} ${page.candidates[number]}`;
}

function theme() {
  const root = document.documentElement;
  root.dataset.theme = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % 3];
  find("#theme-name").textContent = page.words.themes[root.dataset.theme];
}

function walk(step) {
  const shown = every(".errors li").filter((item) => item.offsetParent);
  const at = shown.indexOf(document.activeElement);
  const next = shown[Math.max(0, Math.min(shown.length - 1, at + step))];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "center" });
}

function table() {
  const details = every("details.points").find((one) => one.offsetParent);
  if (details) details.open = !details.open;
  details?.scrollIntoView({ block: "nearest" });
}

const keys = { "?": () => find("#keys").showModal(), d: theme, j: () => walk(1), k: () => walk(-1), t: table };
document.addEventListener("keydown", (event) => { // single keys act only when no field has focus
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, dialog *")) return;
  const number = Number(event.key);
  if (number >= 1 && number <= 9) choose(number - 1);
  else if (keys[event.key]) keys[event.key]();
  else return;
  event.preventDefault();
});
for (const button of every("[data-candidate]")) button.addEventListener("click", () => choose(Number(button.dataset.candidate)));
find("#theme-switch").addEventListener("click", theme);
find("#show-keys").addEventListener("click", keys["?"]);
addEventListener("beforeprint", () => { for (const details of every("details")) details.open = true; });
choose(0, false);
