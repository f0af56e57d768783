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

/** The outlines of a photo's faces; `toggled` hears which was clicked. */
export function outlines(photo, toggled, locked) {
  const drawn = photo.faces.map((face, index) => {
    const [x, y, width, height] = face.box;
    const outline = document.createElement(face.reason || locked ? "span" : "button");
    outline.className = "outline";
    outline.classList.toggle("skipped", Boolean(face.reason));
    outline.classList.toggle("shown", index === photo.face);
    outline.style.left = `${(100 * x) / photo.width}%`;
    outline.style.top = `${(100 * y) / photo.height}%`;
    outline.style.width = `${(100 * width) / photo.width}%`;
    outline.style.height = `${(100 * height) / photo.height}%`;
    outline.classList.toggle("chosen", photo.chosen.has(index));
    if (outline.tagName === "BUTTON") {
      outline.type = "button";
      outline.setAttribute("aria-pressed", photo.chosen.has(index));
      outline.setAttribute("aria-label", `Protect face ${index + 1}`);
      outline.addEventListener("click", () => toggled(index));
    }
    if (photo.faces.length > 1) {
      const number = document.createElement("b");
      number.textContent = index + 1;
      number.setAttribute("aria-hidden", "true");
      outline.append(number);
    }
    return outline;
  });
  const focused = [...at("outlines").children].indexOf(document.activeElement);
  at("outlines").replaceChildren(...drawn);
  if (focused >= 0) drawn[focused]?.focus();
}

/** What will become of the faces, in a sentence, and why some are left as they are. */
export function said(photo) {
  const fit = photo.faces.filter((face) => !face.reason).length, chosen = photo.chosen.size;
  const which = { 0: "No face was found that kohl could protect.", 1: "One face, which will be protected." };
  let text = which[fit] ?? `${fit} faces; ${chosen === fit ? "all" : chosen || "none"} will be protected. Click one to leave it out, or to take it in.`;
  if (fit === 1 && !chosen) text = "One face, which is left as it is. Click it to protect it.";
  at("faces-said").textContent = text;
  const reasons = photo.faces.flatMap((face, index) => (face.reason ? [`Face ${index + 1} is ${face.reason}.`] : []));
  at("skipped").replaceChildren(...reasons.map((reason) => Object.assign(document.createElement("li"), { textContent: reason })));
}
