// The page's state, and how each event changes it. No DOM, network or clock: `next` is a pure function.
//
//   empty ──asked──▶ loading ──shown──▶ loading ──started──▶ painting ──painted──▶ done
//                       │                  └──shown with its painting──────────────▶ done
//                       └──refused──▶ what was before: painting, done, or failed where nothing hangs
//   painting ──cancelled──▶ done, or empty where nothing hangs; ──broken──▶ done, or failed where nothing hangs
//
// A job goes on until the next photo is decoded, so a file that can't be read destroys nothing. What hangs is a whole
// painting with its own settings: it is what is saved, whatever is being painted.

/** @typedef {{ brush: number, finer: boolean }} Settings how a painting is made
 * @typedef {{ source: any, settings: Settings, words: string }} Hung a whole painting on the easel
 * @typedef {{ kind: "bytes" | "tiles" | "wait", done: number, all: number }} Progress
 * @typedef {{ code: string, details: object }} Cause of a fault; see messages.js
 * @typedef {"empty" | "loading" | "painting" | "done" | "failed"} Phase
 * @typedef {{ phase: Phase, wish: number, job: number, source: any, hung: Hung | null, fault: Cause | null,
 *   progress: Progress | null }} State
 * wish: the number of the photo that is being read, 0 for none; job: of the painting being made, 0 for none
 */

/** @type {State} */
export const EMPTY = { phase: "empty", wish: 0, job: 0, source: null, hung: null, fault: null, progress: null };

/** The state after an event. An event of a wish or job that another one has replaced changes nothing.
 * @param {State} state
 * @param {any} event
 * @returns {State}
 */
export function next(state, event) {
  switch (event.type) {
    case "asked": // for a photo
      return { ...state, wish: event.wish, fault: null, phase: state.job ? "painting" : "loading" };
    case "refused": // the photo asked for can't be read
      if (event.wish !== state.wish) return state;
      return rest({ ...state, wish: 0, fault: event.fault });
    case "shown": // the photo is decoded and on the easel; a sample brings its painting
      if (event.wish !== state.wish) return state;
      return {
        ...state,
        wish: 0,
        job: 0,
        progress: null,
        source: event.source,
        hung: event.hung ?? null,
        phase: event.hung ? "done" : "loading",
      };
    case "started": // a painting is wanted: the painter may still have to be loaded
      return { ...state, job: event.job, fault: null, progress: null, phase: "loading" };
    case "progress":
      if (event.job !== state.job) return state;
      return { ...state, progress: event.progress, phase: event.progress.kind === "bytes" ? "loading" : "painting" };
    case "painted":
      if (event.job !== state.job) return state;
      return { ...state, job: 0, progress: null, hung: event.hung, phase: "done" };
    case "broken": // the painter failed
      if (event.job !== state.job) return state;
      return rest({ ...state, job: 0, progress: null, fault: event.fault });
    case "cancelled":
      return rest({ ...state, job: 0, progress: null });
    case "noted": // a fault beside the work, such as a camera that doesn't answer
      return rest({ ...state, fault: event.fault });
    default:
      throw new Error(`no such event: ${event.type}`);
  }
}

/** Where the state comes to rest once a wish or a job has ended.
 * @param {State} state
 * @returns {State}
 */
function rest(state) {
  if (state.job || state.wish) return state;
  return { ...state, phase: state.hung ? "done" : state.fault ? "failed" : "empty" };
}
