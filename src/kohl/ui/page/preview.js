// The preview: the look at once, then the change that protects, at any strength without another search.
import { picture } from "/page/server.js";
import { look } from "/page/looks.js";
import * as stage from "/page/stage.js";

const at = (id) => document.getElementById(id);
let turning = new AbortController(), shown = "", wanted = null;

/** Ends what is under way: another face is shown, or nothing is to be tried any more. */
export function stop() {
  turning.abort();
  turning = new AbortController();
  [shown, wanted] = ["", null];
  return turning.signal;
}

/** Shows the photo's face as it would be, at this strength. */
export async function preview(photo, strength) {
  const base = `/v1/photos/${photo.id}/faces/${photo.face}`, text = look.text, reason = photo.faces[photo.face].reason;
  if (reason) {
    stage.label("");
    return stage.caption(`This face is ${reason}; it is left as it is.`);
  }
  try {
    if (shown !== `${base} ${text}`) {
      const signal = stop();
      shown = `${base} ${text}`;
      at("after").alt = "";
      stage.label("");
      if (text) {
        await picture(at("after"), `${base}?${new URLSearchParams({ text })}`, signal);
        stage.label("the look");
      }
      stage.caption("Working out a preview…", true);
    }
    await turn(base, text, strength);
  } catch (error) {
    if (error.name !== "AbortError") stage.caption(error.message);
  }
}

async function turn(base, text, strength) {
  const { signal } = turning, busy = wanted !== null;
  wanted = strength;
  if (busy) return; // whoever is at it takes this one next
  try {
    for (let asked = null; asked !== wanted; ) {
      asked = wanted;
      const headers = await picture(at("after"), `${base}/preview?${new URLSearchParams({ text, strength: asked })}`, signal);
      stage.label("preview");
      at("after").alt = "The same face, about as it will be";
      const says = headers.get("kohl-says");
      stage.caption(`${says[0].toUpperCase()}${says.slice(1)}. The result is searched for longer, and judged.`);
    }
  } finally {
    if (!signal.aborted) wanted = null;
  }
}
