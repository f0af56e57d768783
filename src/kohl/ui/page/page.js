// The page: which photos there are, which one is shown, and what is asked for it.
import { ask, events, file, forget, picture, put, send } from "/page/server.js";
import { begin, draw, look } from "/page/looks.js";
import { preview, stop } from "/page/preview.js";
import * as stage from "/page/stage.js";
import * as verdict from "/page/verdict.js";

const at = (id) => document.getElementById(id);
const photos = [];
let shown = null, following = Promise.resolve();

const strength = () => at("strength").value / 100;
const tell = (text) => (at("told").textContent = text);
const editing = (photo) => photo.state === "ready";
const ready = () => photos.filter((photo) => editing(photo) && photo.chosen.size);

/* Photos */

async function bring(files) {
  const brought = [...files].map((blob) => ({ blob, name: blob.name, state: "reading", faces: [], chosen: new Set(), face: null }));
  if (!brought.length) return;
  photos.push(...brought);
  at("welcome").hidden = true;
  at("work").hidden = false;
  show(brought[0]);
  for (const photo of brought) await read(photo);
}

async function read(photo) {
  const form = new FormData();
  form.append("photo", photo.blob, photo.name);
  delete photo.blob;
  try {
    Object.assign(photo, await ask("/v1/photos", { method: "POST", body: form }));
    photo.picture = (await file(`/v1/photos/${photo.id}/picture`)).blob;
    photo.faces.forEach((face, index) => face.reason || photo.chosen.add(index));
    photo.face = photo.faces.findIndex((face) => face.shown && !face.reason);
    if (photo.face < 0) photo.face = photo.faces.length ? 0 : null;
    photo.state = photo.chosen.size ? "ready" : "failed";
    photo.error = photo.chosen.size ? "" : photo.faces.length ? "No face in this photo could be protected." : "No face was found in this photo; kohl needs one that is seen from the front and not too small.";
  } catch (error) {
    Object.assign(photo, { state: "failed", error: error.message });
  }
  tell(photo.error || `${photo.name}: ${photo.faces.length === 1 ? "one face" : `${photo.faces.length} faces`} found.`);
  if (photo === shown) show(photo);
  else list();
}

function remove(photo) {
  stop();
  photo.stop?.abort();
  if (photo.job) forget(`/v1/jobs/${photo.job.id}`);
  if (photo.id) forget(`/v1/photos/${photo.id}`);
  photos.splice(photos.indexOf(photo), 1);
  tell(`${photo.name} was taken away.`);
  if (photos.length) return show(photos[0]);
  shown = null;
  at("work").hidden = true;
  at("welcome").hidden = false;
  at("choose").focus();
}

/* What is shown */

function show(photo) {
  shown = photo;
  list();
  const seen = photo.id && photo.face !== null;
  stage.instead(seen ? "" : photo.state === "reading" ? "Looking for faces…" : photo.error);
  stage.caption("");
  at("whole").hidden = photo.state === "reading";
  at("photo").hidden = !photo.picture;
  if (photo.picture) put(at("picture"), photo.picture);
  at("picture").alt = photo.picture ? `The whole photo, ${photo.name}` : "";
  at("faces-said").textContent = photo.id ? "" : photo.name;
  at("skipped").replaceChildren();
  if (photo.id) faces();
  panel();
  if (seen) face();
}

function faces() {
  stage.which(shown, (index, chosen) => {
    shown.chosen[chosen ? "add" : "delete"](index);
    turnTo(index);
    buttons();
  });
  stage.said(shown);
  stage.outlines(shown, turnTo);
}

function turnTo(index) {
  const other = shown.face !== index;
  shown.face = index;
  stage.said(shown);
  stage.outlines(shown, turnTo);
  if (other) face();
}

async function face() {
  const photo = shown, index = photo.face, name = photo.faces.length > 1 ? `Face ${index + 1}` : "The face";
  at("before").alt = `${name} as it is`;
  const signal = stop();
  try {
    await picture(at("before"), `/v1/photos/${photo.id}/faces/${index}`, signal);
    if (photo.state === "done") {
      await picture(at("after"), `/v1/jobs/${photo.job.id}/faces/${index}`, signal);
      at("after").alt = `${name} in the result`;
      const changed = photo.chosen.has(index);
      stage.caption(changed ? "Move the handle across the face to compare. Up close the change can be seen." : `${name} was left as it is.`);
      return stage.label(changed ? "result" : "");
    }
  } catch (error) {
    return error.name === "AbortError" ? undefined : trouble(error.message);
  }
  draw(photo);
  if (editing(photo)) preview(photo, strength());
}

/* Protecting */

async function protect(photo) {
  const asked = photo.faces.flatMap((face, index) => (face.reason || photo.chosen.has(index) ? [index] : []));
  const faces = asked.length === photo.faces.length ? null : asked; // those that are unfit are judged all the same
  Object.assign(photo, { state: "working", stop: new AbortController(), job: null, error: "" });
  if (photo === shown) {
    stop();
    show(photo);
  } else list();
  try {
    photo.job = await send(`/v1/photos/${photo.id}/protect`, { text: look.text, strength: strength(), faces });
    // One stream at a time, as one photo is protected at a time: a browser opens no more than six.
    await (following = following.then(() => follow(photo).catch((error) => (photo.error = error.message))));
  } catch (error) {
    photo.error = error.message;
  }
  if (photo.state !== "working") return; // called off
  photo.state = photo.job?.state === "done" ? "done" : "ready";
  photo.error ||= photo.job?.error ?? "";
  tell(`${photo.name}: ${photo.state === "done" ? photo.job.words.headline : photo.error}.`);
  if (photo === shown) show(photo);
  else list();
}

async function follow(photo) {
  if (photo.state !== "working") return;
  await events(`/v1/jobs/${photo.job.id}/events`, (job) => {
    if (photo.state !== "working") return;
    photo.job = job;
    if (photo === shown) panel();
  }, photo.stop.signal);
}

function cancel(photo) {
  if (photo.job) forget(`/v1/jobs/${photo.job.id}`);
  Object.assign(photo, { state: "ready", job: null, error: "" });
  photo.stop.abort();
  tell("Cancelled.");
  show(photo);
  at("protect").focus();
}

function back(photo) {
  if (photo.job) forget(`/v1/jobs/${photo.job.id}`);
  Object.assign(photo, { state: "ready", job: null, error: "" });
  show(photo);
  at("protect").focus();
}

async function save(path, options, name) {
  try {
    const { blob } = await file(path, options);
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    trouble(error.message);
  }
}

/* The list and the panel */

function list() {
  const words = { reading: "being read", failed: "cannot be protected", ready: "", working: "under way" };
  const items = photos.map((photo) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    const state = photo.state === "done" ? photo.job.row.status.replaceAll("_", " ") : words[photo.state];
    button.className = photo.state === "done" && photo.job.row.status !== "protected" ? "bad" : photo.state;
    button.setAttribute("aria-label", [photo.name, state].filter(Boolean).join(": "));
    if (photo === shown) button.setAttribute("aria-current", "true");
    if (photo.picture) {
      const image = document.createElement("img");
      image.alt = "";
      image.src = photo.thumb ??= URL.createObjectURL(photo.picture);
      button.append(image);
    }
    button.addEventListener("click", () => show(photo));
    item.append(button);
    return item;
  });
  const focused = [...at("photos").children].findIndex((item) => item.contains(document.activeElement));
  at("photos").replaceChildren(...items);
  if (focused >= 0) items[focused]?.firstChild.focus();
  at("download-all").hidden = photos.filter((photo) => photo.state === "done").length < 2;
  buttons();
}

function panel() {
  const result = at("verdict"), photo = shown;
  const busy = photo.state === "working", finished = photo.state === "done";
  at("choices").hidden = busy || finished || photo.state === "failed" || photo.state === "reading";
  result.hidden = !(busy || finished || (photo.error && photo.id && photo.state === "ready"));
  if (finished) result.replaceChildren(...verdict.done(photo.job, { download: () => save(`/v1/jobs/${photo.job.id}/photo`, {}, photo.job.result), back: () => back(photo) }));
  else if (busy && at("cancel")?.isConnected && photo.job && result.dataset.job === photo.job.id) {
    const fresh = verdict.working(photo.job, () => cancel(photo)); // the button stays, and so does the focus on it
    [...result.children].slice(0, 3).forEach((old, index) => old.replaceWith(fresh[index]));
  } else if (busy) result.replaceChildren(...verdict.working(photo.job ?? { state: "waiting", before: 0, progress: 0 }, () => cancel(photo)));
  else if (photo.error) result.replaceChildren(...verdict.failed(photo.error, () => back(photo)));
  result.dataset.job = photo.job?.id ?? "";
  if (photo.error && photo.state === "ready") at("choices").hidden = true;
  buttons();
}

function buttons() {
  const count = ready().length;
  at("protect").textContent = count > 2 ? `Protect all ${count} photos` : count === 2 ? "Protect both photos" : "Protect";
  at("protect").disabled = !count;
  at("protect-one").hidden = count < 2 || !shown || !editing(shown) || !shown.chosen.size;
}


function trouble(text) {
  at("trouble").textContent = text;
  at("trouble").hidden = false;
  clearTimeout(trouble.later);
  trouble.later = setTimeout(() => (at("trouble").hidden = true), 8000);
}

/* Wiring */

if (!["localhost", "[::1]"].includes(location.hostname) && !location.hostname.startsWith("127.")) {
  at("where").textContent = `Photos go to ${location.hostname} alone. Nothing is kept.`;
}

for (const input of [at("choose"), at("more")]) {
  input.addEventListener("change", () => {
    bring(input.files);
    input.value = "";
  });
}
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
for (const name of ["dragleave", "drop"]) addEventListener(name, (event) => (name === "drop" || !event.relatedTarget) && document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  bring(event.dataTransfer.files);
});
addEventListener("paste", (event) => event.clipboardData?.files.length && bring(event.clipboardData.files));
at("strength").addEventListener("input", () => {
  const value = +at("strength").value;
  at("strength").setAttribute("aria-valuetext", value === 50 ? "as needed" : `${value} of 100`);
  if (shown && shown.face !== null && editing(shown)) preview(shown, strength());
});
at("choices").addEventListener("submit", (event) => {
  event.preventDefault();
  for (const photo of ready()) protect(photo);
});
at("protect-one").addEventListener("click", () => protect(shown));
at("remove").addEventListener("click", () => remove(shown));
at("download-all").addEventListener("click", () => {
  const jobs = photos.filter((photo) => photo.state === "done").map((photo) => photo.job.id);
  save("/v1/download", { method: "POST", body: JSON.stringify({ jobs }), headers: { "content-type": "application/json" } }, "kohl.zip");
});
addEventListener("pagehide", () => photos.forEach((photo) => {
  if (photo.job) forget(`/v1/jobs/${photo.job.id}`);
  if (photo.id) forget(`/v1/photos/${photo.id}`);
}));

begin(() => shown && shown.face !== null && editing(shown) && preview(shown, strength())).then(() => shown && draw(shown)).catch((error) => trouble(error.message));
