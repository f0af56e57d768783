// What the page asks of the server: JSON, pictures and events, each with the key where there is one.

let key = new URLSearchParams(location.hash.slice(1)).get("key") || "";
if (key) history.replaceState(null, "", location.pathname); // not to be read over a shoulder
let asking = null;

/** JSON, or null where there is none to read. */
export async function ask(path, options = {}) {
  const answer = await request(path, options);
  return answer.status === 204 ? null : answer.json();
}

/** The same with JSON to send. */
export const send = (path, value, options = {}) =>
  ask(path, { method: "POST", body: JSON.stringify(value), headers: { "content-type": "application/json" }, ...options });

/** A file: its bytes, and what its headers say. */
export async function file(path, options = {}) {
  const answer = await request(path, options);
  return { blob: await answer.blob(), headers: answer.headers };
}

/** A picture for an `img`, which lets go of the one that it had. */
export async function picture(image, path, signal) {
  const { blob, headers } = await file(path, { signal });
  signal?.throwIfAborted();
  put(image, blob);
  return headers;
}

export function put(image, blob) {
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

/** Calls `heard` with each event, until the last. */
export async function events(path, heard, signal) {
  const answer = await request(path, { signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) heard(JSON.parse(part.replace(/^data: /, "")));
  }
}

/** Photos are taken away also when the page goes. */
export const forget = (path) => request(path, { method: "DELETE", keepalive: true }).catch(() => {});

async function request(path, options) {
  const headers = { ...options.headers, ...(key ? { authorization: `Bearer ${key}` } : {}) };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("kohl does not answer; is it still running?");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    await askForKey();
    return request(path, options);
  }
  throw new Error(said.error || `the server answers ${answer.status}`);
}

function askForKey() {
  const dialog = document.getElementById("key");
  asking ??= new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      key = document.getElementById("key-value").value.trim();
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}
