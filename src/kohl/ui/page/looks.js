// Looks to click, each drawn on the face that is shown; or words of one's own.
import { ask, picture } from "/page/server.js";

// Those that are shown before the others are asked for: some quiet, some bold.
const FIRST = ["none", "natural", "soft-glam", "french-girl", "classic", "smoky-eyes", "grooming", "sun-kissed", "berry", "goth"];
const AT_ONCE = 2;
const at = (id) => document.getElementById(id);
const tiles = at("tiles"), words = at("words"), note = at("words-said"), every = at("all-looks");

let looks = [], drawing = new AbortController(), drawn = "", typing = 0, changed = () => {};
export const look = { text: "" };

/** Lists the looks; `heard` is called whenever another one is chosen. */
export async function begin(heard) {
  changed = heard;
  const rank = ({ name }) => FIRST.indexOf(name) + 1 || Infinity;
  looks = [{ name: "none", words: "" }, ...(await ask("/v1/looks"))].sort((a, b) => rank(a) - rank(b) || 0);
  tiles.replaceChildren(...looks.map(tile));
  every.textContent = `Show all ${looks.length - 1} looks`;
}

/** Draws every look that is listed on a face. */
export async function draw(photo) {
  const face = photo && photo.face !== null ? `/v1/photos/${photo.id}/faces/${photo.face}` : "";
  if (face === drawn) return;
  drawn = face;
  drawing.abort();
  drawing = new AbortController();
  for (const image of tiles.querySelectorAll("img")) image.classList.add("old");
  if (face) await fill(face, drawing.signal);
}

async function fill(face, signal) {
  const waiting = [...tiles.querySelectorAll("label:not([hidden]) img.old")];
  const next = async () => {
    for (let image = waiting.shift(); image && !signal.aborted; image = waiting.shift()) {
      const query = new URLSearchParams({ side: 160, text: image.dataset.words });
      try {
        await picture(image, `${face}?${query}`, signal);
        image.classList.remove("old");
      } catch {
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

function tile(one, index) {
  const label = document.createElement("label"), radio = document.createElement("input");
  const image = document.createElement("img"), name = document.createElement("span");
  Object.assign(radio, { type: "radio", name: "look", value: one.words, checked: !index });
  Object.assign(image, { alt: "", className: "old", width: 160, height: 160 });
  image.dataset.words = one.words;
  name.textContent = one.name.replaceAll("-", " ");
  radio.addEventListener("change", () => {
    words.value = "";
    note.textContent = one.words;
    note.classList.remove("wrong");
    choose(one.words);
  });
  const frame = document.createElement("i");
  frame.append(image);
  label.append(radio, frame, name);
  label.hidden = index >= FIRST.length;
  return label;
}

every.addEventListener("click", () => {
  const open = every.getAttribute("aria-expanded") !== "true";
  every.setAttribute("aria-expanded", open);
  every.textContent = open ? "Show fewer" : `Show all ${looks.length - 1} looks`;
  tiles.classList.toggle("all", open);
  [...tiles.children].forEach((label, index) => (label.hidden = !open && index >= FIRST.length && !label.firstChild.checked));
  if (open && drawn) fill(drawn, drawing.signal);
});

words.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(read, 400);
});
words.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // not yet: first it is seen what the words were taken for
  clearTimeout(typing);
  read();
});

async function read() {
  const text = words.value.trim();
  try {
    const found = text ? await ask(`/v1/words?${new URLSearchParams({ text })}`) : { look: "", notes: [] };
    if (text !== words.value.trim()) return;
    note.textContent = [found.look, ...found.notes].filter(Boolean).join(". ");
    note.classList.remove("wrong");
    for (const radio of tiles.querySelectorAll("input")) radio.checked = !text && !radio.value;
    choose(text);
  } catch (error) {
    note.textContent = error.message.replace(/^text: /, "").replace(/, with any of .*/, ".").replace(/; or use CLIP.*/, ".");
    note.classList.add("wrong");
  }
}

function choose(text) {
  if (text === look.text) return;
  look.text = text;
  changed();
}
