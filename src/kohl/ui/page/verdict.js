// What became of a photo: the verdict, what each judge says, and how likely others still match; never more than that.

const make = (name, text = "", className = "") => Object.assign(document.createElement(name), { textContent: text, className });

/** A job that is under way: how far it is, and a way to call it off. */
export function working(job, cancel) {
  const bar = make("progress");
  bar.max = 1;
  if (job.state === "running" && job.progress) bar.value = job.progress;
  bar.setAttribute("aria-label", "How far it is");
  const text = job.state === "waiting" && job.before ? `Waiting: ${job.before} before this one.` : job.progress >= 0.9 ? "Saving it, and asking the judges about the file…" : "Searching for the smallest change that is enough…";
  const button = make("button", "Cancel", "plain");
  button.type = "button";
  button.id = "cancel";
  button.addEventListener("click", cancel);
  return [make("h2", "Under way"), bar, make("p", text, "quiet"), button];
}

/** A job that failed, in the server's words. */
export function failed(text, back) {
  return [make("h2", "That did not work"), make("p", text, "reason"), again("Try something else", back)];
}

/** A job that is done. */
export function done(job, { download, back }) {
  const good = job.row.status === "protected";
  const [verdict, ...more] = job.words.headline.split(/[:;] /);
  const parts = [make("h2", `${verdict}.`, good ? "good" : "bad")];
  for (const text of more) parts.push(make("p", sentence(text), "reason"));
  if (job.row.faces.some((face) => face.status === "not_protected")) parts.push(make("p", "More strength, or another look, may help. The photo can be downloaded as it is.", "quiet"));
  if (job.words.look) parts.push(make("p", `The look: ${job.words.look}.`, "quiet"));
  for (const note of job.row.notes ?? []) parts.push(make("p", sentence(note), "quiet"));
  job.words.faces.forEach((face, index) => parts.push(...about(face, job.row.faces[index], job.words.faces.length > 1)));
  const { surrogates, judges } = job.row.recipe.models;
  const known = judges.some((judge) => surrogates.includes(judge));
  parts.push(make("p", `Each judge opened the saved file, found the face by itself, and compared it with the original.${known ? " The search worked against the same recognisers: read this as the best case." : ""}`, "quiet small"));
  const button = make("button", "Download", "main");
  button.type = "button";
  button.id = "download";
  button.addEventListener("click", download);
  const actions = make("div", "", "act");
  actions.append(button, again("Try another look", back));
  parts.push(actions, make("p", `${job.result} · ${size(job.bytes)} · no camera, place or time in it`, "quiet small"));
  return parts;
}

function about(face, row, several) {
  const box = make("section", "", "face");
  if (several) box.append(make("h3", `Face ${row.index + 1}: ${face.status}`));
  if (row.reason) box.append(make("p", sentence(row.reason), "reason"));
  const list = make("ul", "", "judges");
  for (const judge of face.judges) {
    const item = make("li", "", judge.matches === null ? "" : judge.matches ? "bad" : "good");
    item.append(make("b", judge.name), make("span", judge.says));
    list.append(item);
  }
  if (face.judges.length) box.append(list);
  if (face.chance) box.append(make("p", `Others: ${face.chance}.`));
  return [box];
}

function again(text, back) {
  const button = make("button", text, "plain");
  button.type = "button";
  button.id = "again";
  button.addEventListener("click", back);
  return button;
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
