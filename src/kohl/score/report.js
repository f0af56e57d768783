// Without scripts the two pictures stand side by side; with them, one slider lays the second over the first.
document.documentElement.classList.add("scripted");
for (const slider of document.querySelectorAll(".slider")) {
  const range = slider.querySelector("input");
  const split = () => slider.style.setProperty("--split", range.value + "%");
  range.addEventListener("input", split);
  split();
}
