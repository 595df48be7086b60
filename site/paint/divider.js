// The divider between a photograph and its painting, on the painting page and on the course's first page: the library
// moves it by mouse and finger, this file by keyboard, and says where it stands.

/**
 * @param {any} compare an <img-comparison-slider> with keyboard="disabled", role="slider" and tabindex="0"
 * @param {(value: number, byHand: boolean) => void} moved is told how many percent the photograph has
 * @returns {(value: number) => void} moves the divider
 */
export function divider(compare, moved = () => {}) {
  const tell = (/** @type {boolean} */ byHand) => {
    const value = Math.round(compare.value);
    compare.setAttribute("aria-valuenow", value);
    compare.setAttribute("aria-valuetext", `${value} % photograph, ${100 - value} % painting`);
    moved(value, byHand);
  };
  const divide = (/** @type {number} */ value, byHand = false) => {
    compare.value = Math.min(100, Math.max(0, value));
    tell(byHand);
  };
  compare.addEventListener("slide", () => tell(true));
  compare.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    // The library's own keys move the divider only as long as they are held.
    const value = {
      ArrowLeft: compare.value - 1,
      ArrowRight: compare.value + 1,
      Home: 0,
      End: 100,
      PageUp: compare.value + 10,
      PageDown: compare.value - 10,
    }[event.key];
    if (value === undefined) return;
    event.preventDefault();
    divide(value, true);
  });
  tell(false);
  return (value) => divide(value);
}
