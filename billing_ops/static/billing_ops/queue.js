// The review queue: rows by keyboard, ticks, and the dialogs of its decisions. Every decision is a plain form post.
"use strict";
const rows = [...document.querySelectorAll("tr[data-row]")];
const boxes = rows.map((row) => row.querySelector("input[type=checkbox]")).filter(Boolean);
const all = document.getElementById("tick-all");
const list = document.getElementById("tick-list");
let current = -1;

function moveTo(index) {
  if (!rows.length) return;
  rows[current]?.classList.remove("bo-current");
  current = Math.min(Math.max(index, 0), rows.length - 1);
  rows[current].classList.add("bo-current");
  rows[current].scrollIntoView({ block: "nearest" });
}

function countTicked() {
  const count = list?.checked ? Number(list.dataset.count) : boxes.filter((box) => box.checked).length;
  const words = count === 0 ? "None ticked" : count === 1 ? "1 invoice ticked" : `${count} invoices ticked`;
  for (const place of document.querySelectorAll("#ticked, [data-ticked]")) place.textContent = words;
  for (const button of document.querySelectorAll("[data-needs-ticked]")) button.disabled = count === 0;
  if (all) all.checked = count > 0 && count === boxes.length;
  return count;
}

function open(id) {
  const dialog = document.getElementById(id);
  if (!dialog) return;
  if (id !== "keys-dialog" && countTicked() === 0) {
    const box = rows[current]?.querySelector("input[type=checkbox]");
    if (!box) return;
    box.checked = true; // a decision by key is over the row that one stands on
    countTicked();
  }
  setFields(dialog, false);
  dialog.showModal();
}

// Only the fields of the dialog that is open are sent.
function setFields(dialog, disabled) {
  for (const field of dialog.querySelectorAll("select, textarea")) field.disabled = disabled;
}

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("close", () => setFields(dialog, true));
  for (const button of dialog.querySelectorAll("[data-closes]")) button.addEventListener("click", () => dialog.close());
}
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => open(button.dataset.opens));
}
for (const box of boxes) box.addEventListener("change", countTicked);
list?.addEventListener("change", countTicked);
all?.addEventListener("change", () => {
  for (const box of boxes) box.checked = all.checked;
  countTicked();
});
rows.forEach((row, index) => row.addEventListener("click", () => moveTo(index)));

const KEYS = {
  j: () => moveTo(current + 1),
  k: () => moveTo(current - 1),
  x: () => rows[current]?.querySelector("input[type=checkbox]")?.click(),
  Enter: () => rows[current]?.querySelector("a")?.click(),
  a: () => open("approve-dialog"),
  h: () => open("hold-dialog"),
  r: () => open("release-dialog"),
  "/": () => document.getElementById("id_customer")?.focus(),
  "?": () => open("keys-dialog"),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, dialog[open], a, button");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
countTicked();
