const wanted = document.getElementById("wanted");
const boxes = [...document.querySelectorAll("#filters input[type=checkbox]")];
function filter() {
  const word = wanted.value.trim().toLowerCase();
  const formats = new Set(boxes.filter(box => box.checked).map(box => box.value));
  for (const row of document.querySelectorAll("[data-loss]")) row.hidden = !row.dataset.loss.includes(word);
  for (const cell of document.querySelectorAll("[data-dtype]")) cell.hidden = !formats.has(cell.dataset.dtype);
}
document.getElementById("filters").addEventListener("input", filter);
document.getElementById("filters").addEventListener("submit", event => event.preventDefault());
