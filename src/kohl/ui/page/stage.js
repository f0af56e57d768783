// The face, as it is and as it will be, with one slider over both; and the photo with its faces outlined.

const at = (id) => document.getElementById(id);
const compare = at("compare"), split = at("split");

split.addEventListener("input", () => compare.style.setProperty("--split", `${split.value}%`));

/** What the right half is called, and whether there is one. */
export function label(text) {
  compare.classList.toggle("single", !text);
  at("after-tag").textContent = text;
  split.disabled = !text;
}

/** A sentence in place of the face; none brings the face back. */
export function instead(text) {
  at("stage-message").textContent = text;
  at("stage-message").hidden = !text;
  compare.hidden = Boolean(text);
}

export function caption(text, busy = false) {
  at("caption").textContent = text;
  compare.classList.toggle("busy", busy);
}

/** The outlines of a photo's faces, each of which shows that face large when it is clicked. */
export function outlines(photo, show) {
  const several = photo.faces.length > 1;
  const drawn = photo.faces.map((face, index) => {
    const [x, y, width, height] = face.box;
    const outline = document.createElement(several && face.shown ? "button" : "span");
    outline.className = "outline";
    outline.classList.toggle("chosen", photo.chosen.has(index));
    outline.classList.toggle("shown", several && index === photo.face);
    outline.style.left = `${(100 * x) / photo.width}%`;
    outline.style.top = `${(100 * y) / photo.height}%`;
    outline.style.width = `${(100 * width) / photo.width}%`;
    outline.style.height = `${(100 * height) / photo.height}%`;
    if (several) {
      const number = document.createElement("b");
      number.textContent = index + 1;
      outline.append(number);
    }
    if (outline.tagName === "BUTTON") {
      outline.type = "button";
      outline.setAttribute("aria-label", `Show face ${index + 1}`);
      outline.setAttribute("aria-pressed", index === photo.face);
      outline.addEventListener("click", () => show(index));
    }
    return outline;
  });
  const focused = [...at("outlines").children].indexOf(document.activeElement);
  at("outlines").replaceChildren(...drawn);
  if (focused >= 0) drawn[focused]?.focus();
}

/** One box for each face that can be protected; `toggled` hears which is to be, or not. */
export function which(photo, toggled) {
  const fit = photo.faces.flatMap((face, index) => (face.reason ? [] : [index]));
  const boxes = fit.map((index) => {
    const label = document.createElement("label"), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", checked: photo.chosen.has(index) });
    box.addEventListener("change", () => toggled(index, box.checked));
    label.append(box, `Face ${index + 1}`);
    return label;
  });
  at("which").replaceChildren(at("which").firstElementChild, ...boxes);
  at("which").hidden = boxes.length < 2 || photo.state !== "ready";
}

/** What will become of the faces, in a sentence, and why some are left as they are. */
export function said(photo) {
  const fit = photo.faces.filter((face) => !face.reason).length, chosen = photo.chosen.size;
  let text = fit === 1 ? "One face, which will be protected." : `${fit} faces; ${chosen === fit ? "all" : chosen || "none"} will be protected.`;
  if (photo.state === "working") text = fit === 1 ? "" : `${chosen} of ${fit} faces are being protected.`;
  if (photo.state === "done" || !fit) text = photo.name;
  at("faces-said").textContent = text;
  const reasons = photo.faces.flatMap((face, index) => (face.reason ? [`Face ${index + 1} is ${face.reason}.`] : []));
  at("skipped").replaceChildren(...reasons.map((reason) => Object.assign(document.createElement("li"), { textContent: reason })));
}
