// What hangs on the easel as a file: to save, or for the share sheet.

import { Fault } from "./messages.js";

/** @typedef {{ photo: HTMLCanvasElement, painting: HTMLCanvasElement, strength: number, name: string,
 *   credit: string }} Picture strength in 0..1
 */

/** A picture as a file. kind: "jpeg", "png", or "card", photograph and painting side by side.
 * @param {Picture} picture
 * @param {string} kind
 */
export async function fileOf(picture, kind) {
  const canvas = kind === "card" ? card(picture) : blended(picture);
  const type = kind === "png" ? "image/png" : "image/jpeg";
  // At quality 1 browsers keep the colours of each pixel (4:4:4), as `monet translate` does.
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, 1));
  if (!blob) throw new Fault("memory");
  const suffix = kind === "card" ? "before-after" : "monet";
  return new File([blob], `${picture.name}-${suffix}.${kind === "png" ? "png" : "jpg"}`, { type });
}

/** @param {File} file */
export function save(file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Whether this browser has a share sheet that takes pictures. */
export function canShare() {
  return Boolean(navigator.canShare?.({ files: [new File([""], "monet.jpg", { type: "image/jpeg" })] }));
}

/** Open the share sheet. False where the visitor closed it. @param {File} file @param {string} url */
export async function share(file, url) {
  try {
    await navigator.share({ files: [file], text: `Painted in the browser by monet-lab: ${url}` });
    return true;
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") return false;
    throw new Fault("share-failed");
  }
}

/** Photograph and painting, mixed by the strength. @param {Picture} picture */
function blended({ photo, painting, strength }) {
  if (strength === 1) return painting;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [photo.width, photo.height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(photo, 0, 0);
  context.globalAlpha = strength;
  context.drawImage(painting, 0, 0);
  return canvas;
}

/** Photograph and painting, beside each other or, where they are broad, one above the other. @param {Picture} picture */
function card(picture) {
  const { photo } = picture;
  const scale = Math.min(1, 1200 / Math.max(photo.width, photo.height));
  const [width, height] = [photo.width, photo.height].map((side) => Math.round(side * scale));
  const gap = 24,
    foot = 64,
    broad = width > 1.25 * height;
  const canvas = document.createElement("canvas");
  canvas.width = broad ? width + 2 * gap : 2 * width + 3 * gap;
  canvas.height = (broad ? 2 * height + 3 * gap : height + 2 * gap) + foot;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fbfcfc";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(photo, gap, gap, width, height);
  const [left, top] = broad ? [gap, height + 2 * gap] : [width + 2 * gap, gap];
  context.drawImage(blended(picture), left, top, width, height);
  context.fillStyle = "#1b262d";
  context.font = "italic 26px Georgia, serif";
  context.textBaseline = "middle";
  const middle = canvas.height - (foot + gap) / 2,
    most = canvas.width - 2 * gap;
  const text = `Photograph and painting · monet-lab${picture.credit ? ` · ${picture.credit}` : ""}`;
  context.fillText(text, gap, middle, most);
  return canvas;
}
