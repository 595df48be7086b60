// The page's state machine by itself: node --test.

import assert from "node:assert/strict";
import test from "node:test";
import { EMPTY, next } from "../../site/paint/studio.js";

const fault = { code: "photo-none", details: {} };
const hung = { source: "old", settings: { brush: 8, finer: true }, words: "" };
const play = (events, state = EMPTY) => events.reduce(next, state);
const shown = [{ type: "asked", wish: 1 }, { type: "shown", wish: 1, source: "photo" }];
const painting = [...shown, { type: "started", job: 2 }, { type: "progress", job: 2, progress: { kind: "tiles", done: 1, all: 9 } }];
const done = [...painting, { type: "painted", job: 2, hung }];

test("a photo is loaded, painted, and hangs", () => {
  assert.equal(EMPTY.phase, "empty");
  assert.equal(play(shown.slice(0, 1)).phase, "loading");
  assert.equal(play(painting).phase, "painting");
  const state = play(done);
  assert.deepEqual([state.phase, state.hung, state.job, state.progress], ["done", hung, 0, null]);
});

test("a sample brings its painting", () => {
  assert.equal(play([{ type: "asked", wish: 1 }, { type: "shown", wish: 1, source: "sample", hung }]).phase, "done");
});

test("a bad file leaves the painting that is being made", () => {
  const state = play([...painting, { type: "asked", wish: 3 }, { type: "refused", wish: 3, fault }]);
  assert.deepEqual([state.phase, state.job, state.fault], ["painting", 2, fault]);
  assert.equal(next(state, { type: "painted", job: 2, hung }).phase, "done");
});

test("a bad file leaves what hangs, and fails where nothing does", () => {
  const bad = [{ type: "asked", wish: 3 }, { type: "refused", wish: 3, fault }];
  assert.deepEqual([play([...done, ...bad]).phase, play([...done, ...bad]).hung], ["done", hung]);
  assert.equal(play(bad).phase, "failed");
});

test("events of wishes and jobs that were replaced change nothing", () => {
  const state = play([...painting, { type: "asked", wish: 3 }, { type: "asked", wish: 4 }]);
  for (const late of [
    { type: "shown", wish: 3, source: "x" }, { type: "refused", wish: 3, fault }, { type: "painted", job: 1, hung },
    { type: "progress", job: 1, progress: {} }, { type: "broken", job: 1, fault },
  ]) assert.equal(next(state, late), state);
});

test("cancelling and breaking end a job, and what hung before stays", () => {
  const again = [...done, { type: "started", job: 5 }];
  assert.deepEqual([play([...again, { type: "cancelled" }]).phase, play([...again, { type: "cancelled" }]).hung], ["done", hung]);
  assert.equal(play([...painting, { type: "cancelled" }]).phase, "empty");
  const broken = play([...again, { type: "broken", job: 5, fault }]);
  assert.deepEqual([broken.phase, broken.hung, broken.fault], ["done", hung, fault]);
  assert.equal(play([...painting, { type: "broken", job: 2, fault }]).phase, "failed");
});

test("a new photo ends the job and takes down what hung", () => {
  const state = play([...done, { type: "started", job: 5 }, { type: "asked", wish: 6 }, { type: "shown", wish: 6, source: "new" }]);
  assert.deepEqual([state.phase, state.job, state.hung, state.source], ["loading", 0, null, "new"]);
});

test("an event that does not exist is an error", () => {
  assert.throws(() => next(EMPTY, { type: "thought" }), /no such event/);
});
